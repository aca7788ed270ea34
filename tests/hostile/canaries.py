"""Secrets that were never anybody's: planted everywhere, and looked for everywhere."""

import base64
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KINDS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "secrets.yaml").read_text(encoding="utf-8"))
"""`texts`: what has to go, by name; `ordinary`: lines that have to stay."""

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret in its text."""

    kind: str
    text: str
    """As a log or an answer would show it."""
    traces: tuple[str, ...]
    """None of these may be found anywhere afterwards: the secret, and each long enough piece of it."""


def canary(kind: str, random_: random.Random) -> Canary:
    """A canary of this kind; the same numbers make the same one."""
    entry = KINDS["texts"][kind]
    if isinstance(entry, str):
        secret = _text(random_, 14)
        return Canary(kind, _filled(entry, secret), (secret,))
    made, traces = _MADE[entry["make"]](random_)
    return Canary(kind, _filled(entry["text"], made), traces)


def canaries(count: int, seed: int) -> Iterator[Canary]:
    """So many, every kind in turn."""
    random_ = random.Random(seed)
    kinds = list(KINDS["texts"])
    for number in range(count):
        yield canary(kinds[number % len(kinds)], random_)


def _filled(text: str, secret: str) -> str:
    return (
        text.replace("{{", "\x01")
        .replace("}}", "\x02")
        .replace("{}", secret)
        .replace("\x01", "{")
        .replace("\x02", "}")
    )


def _text(random_: random.Random, length: int, letters: str = _LETTERS) -> str:
    """Never of letters alone, so that no word of a sentence is taken for one."""
    return "".join(random_.choices(letters, k=length - 1)) + random_.choice(string.digits)


def _one(
    before: str, length: int, letters: str = _LETTERS, after: str = ""
) -> Callable[[random.Random], Any]:
    def make(random_: random.Random) -> tuple[str, tuple[str, ...]]:
        secret = _text(random_, length, letters)
        return f"{before}{secret}{after}", (secret,)

    return make


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _jwt(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    head = _packed('{"alg":"HS256","typ":"JWT"}').rstrip("=")
    body = _packed(f'{{"sub":"{_text(random_, 24)}"}}').rstrip("=")
    signature = _text(random_, 43)
    return f"{head}.{body}.{signature}", (body, signature)


def _jwt_two_lines(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    whole, traces = _jwt(random_)
    middle = len(whole) - 30
    return f"{whole[:middle]}\n{whole[middle:]}", (traces[0], whole[middle:])


def _key_lines(random_: random.Random) -> list[str]:
    return [_text(random_, 64) for _ in range(4)]


def _pem(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    lines = _key_lines(random_)
    framed = ["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"]
    return "\n".join(framed), tuple(lines)


def _pem_escaped(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    whole, traces = _pem(random_)
    return whole.replace("\n", "\\n"), traces


def _pem_tail(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    lines = _key_lines(random_)
    return "\n".join([*lines, "-----END PRIVATE KEY-----"]), tuple(lines)


def _card(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    body = "4" + "".join(random_.choices(string.digits, k=14))
    total = sum(int(each) if place % 2 else sum(divmod(int(each) * 2, 10)) for place, each in enumerate(body))
    number = f"{body}{-total % 10}"
    return number, (number,)


def _card_groups(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    number, _ = _card(random_)
    grouped = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    return grouped, (grouped, number)


def _wrapped(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    secret = _text(random_, 16)
    packed = _packed(f"user=app password={secret} host=db")
    return packed, (packed, secret)


def _wrapped_url(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    secret = _text(random_, 16)
    packed = _packed(f"postgres://app:{secret}@db/app")
    return packed, (packed, secret)


def _wrapped_twice(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    once, traces = _wrapped(random_)
    twice = _packed(once)
    return twice, (twice, *traces)


def _wrapped_lines(random_: random.Random) -> tuple[str, tuple[str, ...]]:
    secret = _text(random_, 60)
    packed = _packed(f"[db]\nhost = db.shop.svc\nuser = app\npassword = {secret}\n")
    lines = [packed[at : at + 76] for at in range(0, len(packed), 76)]
    return "\n".join(lines), (*lines[:-1], secret)


_UPPER = string.ascii_uppercase + string.digits
_MADE: dict[str, Callable[[random.Random], tuple[str, tuple[str, ...]]]] = {
    "jwt": _jwt,
    "jwt_two_lines": _jwt_two_lines,
    "aws": _one("AKIA", 16, _UPPER),
    "google": _one("AIza", 35),
    "azure": _one("abc8Q~", 34),
    "github": _one("ghp_", 36),
    "slack": _one("xoxb-", 40),
    "slack_webhook": _one("hooks.slack.com/services/T0/B0/", 24),
    "stripe": _one("sk_live_", 24),
    "pem": _pem,
    "pem_escaped": _pem_escaped,
    "pem_tail": _pem_tail,
    "card": _card,
    "card_groups": _card_groups,
    "wrapped": _wrapped,
    "wrapped_url": _wrapped_url,
    "wrapped_twice": _wrapped_twice,
    "wrapped_lines": _wrapped_lines,
}
