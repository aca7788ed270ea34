"""Mutations of what was recorded, from a seed; what breaks something is printed short enough to be kept."""

import json
import random
import re
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from remediator.errors import Permanent
from remediator.incidents.printable import printable
from remediator.redaction.text import redact
from remediator.rulebook.load import check
from remediator.web.webhook_message import read_message
from tests.hostile.canaries import KINDS, canary
from tests.support.alerts import recorded

_PIECES = [
    b"\x00",
    b"\\u0000",
    b"\\ud800",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xff",
    b"null",
    b"1e999",
    b"-",
]
_LONGEST_SECONDS = 5.0
_RECORDED = ("firing", "resolved", "mixed", "truncated-firing")


def mutated(raw: bytes, random_: random.Random) -> bytes:
    """One to four pieces are replaced, taken out, doubled or put in, every other time beside a quotation mark."""
    some = bytearray(raw)
    for _ in range(random_.randint(1, 4)):
        quotes = [found.end() for found in re.finditer(b'"', some)]
        at = random_.choice([random_.randrange(len(some) + 1), random_.choice(quotes or [0])])
        until = min(len(some), at + random_.choice((0, 1, 1, 2, 8, 64)))
        put = random_.choice(
            (b"", bytes([random_.randrange(256)]), random_.choice(_PIECES), bytes(some[at:until]) * 2)
        )
        some[at:until] = put
    return bytes(some)


def shrunk(raw: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Smaller, and it still fails: halves, quarters and so on are left out while that is so."""
    size = len(raw) // 2
    while size:
        at = 0
        while at < len(raw):
            shorter = raw[:at] + raw[at + size :]
            raw, at = (shorter, at) if fails(shorter) else (raw, at + size)
        size //= 2
    return raw


def run(directory: Path, seed: int, times: int) -> tuple[int, list[str]]:
    """Each target `times` times; how many inputs there were, and what was wrong."""
    random_ = random.Random(seed)
    file = directory / "fuzzed.yaml"

    def rules(raw: bytes) -> None:
        file.write_bytes(raw)
        for problem in check([file]):
            assert problem.message

    bodies = [recorded(name) for name in _RECORDED]
    lines = [
        "\n".join(KINDS["ordinary"]).encode(),
        *(canary(kind, random.Random(kind)).text.encode() for kind in KINDS["texts"]),
    ]
    shipped = [
        each.read_bytes() for each in sorted(Path("rules").rglob("*.yaml")) if "examples" not in each.parts
    ]
    targets: list[tuple[str, list[bytes], Callable[[bytes], None], int]] = [
        ("webhook", bodies, _webhook, times),
        ("logs", lines, _log, times),
        ("rules", [each for each in shipped if len(each) < 20_000], rules, times // 20),
    ]
    wrong = []
    done = 0
    with ThreadPoolExecutor(max_workers=1) as executor:
        for name, seeds, take, count in targets:
            for _ in range(count):
                raw = mutated(random_.choice(seeds), random_)
                done += 1
                found = _wrong_of(executor, take, raw)
                if found is not None:
                    wrong.append(f"fuzz {name}, seed {seed}: {found}")
    return done, wrong


def _wrong_of(executor: Executor, take: Callable[[bytes], None], raw: bytes) -> str | None:
    """Why an input would end a loop's unit, a request with 500, or the daemon's answers for a while."""

    def fails(some: bytes) -> bool:
        return executor.submit(take, some).exception() is not None

    try:
        broken = executor.submit(take, raw).exception(_LONGEST_SECONDS)
    except TimeoutError:
        return f"it took more than {_LONGEST_SECONDS:g} s: {raw!r}"
    return None if broken is None else f"{broken!r}: {shrunk(raw, fails)!r}"


def _webhook(raw: bytes) -> None:
    """Read whole, or refused with a sentence; what was read can be stored."""
    try:
        message = read_message(raw, "fuzz")
    except Permanent:
        return
    for alert in message.alerts:
        text = json.dumps(alert, ensure_ascii=False)
        text.encode("utf-8")
        held = [*alert.labels, *alert.labels.values(), *alert.annotations, *alert.annotations.values()]
        assert "\0" not in "".join([*held, alert.generator_url])
    for each in message.quarantined:
        each.reason.encode("utf-8")
        assert "\x00" not in each.reason + each.body


def _log(raw: bytes) -> None:
    """Redacted twice is redacted once, lines stay lines, and nothing moves a cursor."""
    text = raw.decode("utf-8", "replace")
    once = redact(text)
    assert redact(once) == once
    assert once.count("\n") == text.count("\n")
    assert printable(once).isprintable()
