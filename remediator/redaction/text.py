"""Texts: log lines, messages, errors, answers of servers."""

import base64
import binascii
import string
from functools import lru_cache
from typing import Any

from remediator.redaction import shapes
from remediator.redaction.names import names_a_secret
from remediator.redaction.numbers import is_card_number

REDACTED = "***"
_STARS = REDACTED.encode()
_DEEPEST = 2
"""Base64 of base64 of a secret is still found; no deeper."""
_SHORT = 256
_DIGITS_OF_A_CARD = 13
_NO_DIGITS = bytes(each for each in range(256) if each not in string.digits.encode())
_HEX = b"0123456789abcdef"
_WRAPPED = 24
"""Shorter base64 holds no text that could be told to be a secret."""
_PLAIN_WORDS = frozenset(
    b"a an and are at by can cannot could denied does empty error expired failed failure for from had has have in "
    b"invalid is it missing must need needed no not of on or out provided rejected required revoked rotated should "
    b"the this to unknown unset was were when which with".split()
)
"""What stands behind `secret:` in a sentence rather than in a setting."""
_NOTHING = frozenset(b"null none nil true false yes no undefined".split())


def redact(text: str) -> str:
    """The text with every secret of a known shape, or with a secret's name, replaced by `***`.

    Line breaks stay where they are, and what was redacted before is not changed again.
    """
    return _short(text) if len(text) <= _SHORT else _whole(text)


@lru_cache(maxsize=4096)  # names, addresses and many sentences come again and again
def _short(text: str) -> str:
    return _whole(text)


def _whole(text: str) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    found = _redacted(raw, 0)
    return text if found is raw else found.decode("utf-8", "surrogatepass")


def may_hold_secrets(text: str) -> bool:
    """Whether it is worth the time to look closer: False is certain, and true of most texts."""
    raw = text.encode("utf-8", "surrogatepass")
    return shapes.ANY_NEEDLE.search(raw) is not None or _may_be_a_card(raw) or _may_be_wrapped(raw)


def _redacted(raw: bytes, depth: int) -> bytes:
    before = raw
    if shapes.ANY_NEEDLE.search(raw) is not None:
        raw = _without_shapes(raw)
    if _may_be_a_card(raw):
        raw = shapes.CARD.sub(_card, raw)
    if depth < _DEEPEST and _may_be_wrapped(raw):
        raw = shapes.WRAPPED.sub(lambda found: _unwrapped(found, depth), raw)
    return before if raw == before else bytes(raw)


def _may_be_a_card(raw: bytes) -> bool:
    return len(raw.translate(None, _NO_DIGITS)) >= _DIGITS_OF_A_CARD and shapes.CARD.search(raw) is not None


def _may_be_wrapped(raw: bytes) -> bool:
    return len(raw) >= _WRAPPED and shapes.WRAPPED.search(raw) is not None


def _without_shapes(raw: bytes) -> bytes:
    lower = raw.lower()
    if _may_hold(shapes.SECRET_KIND, lower) and shapes.SECRET_KIND.search(raw) is not None:
        raw = _without_secret_data(raw)
    for shape, replaced in _REPLACED:
        if _may_hold(shape, lower):
            raw = shape.sub(replaced, raw)
    return bytes(raw)


def _may_hold(shape: Any, lower: bytes) -> bool:
    return any(needle in lower for needle in shapes.NEEDLES[shape])


def _stars(found: Any) -> bytes:
    return _over_its_lines(found.group())


def _over_its_lines(raw: bytes) -> bytes:
    return b"\n".join([_STARS] * (raw.count(b"\n") + 1))


def _second(found: Any) -> bytes:
    whole: bytes = found.group(1)
    return whole + _STARS


def _header(found: Any) -> bytes:
    name, between, value = found.group(1, 2, 3)
    if value.split(None, 1)[:1] and value.split(None, 1)[0].lower() in _PLAIN_WORDS:
        return bytes(found.group())
    return bytes(name + between + _STARS)


def _scheme(found: Any) -> bytes:
    scheme, between, value = found.group(1, 2, 3)
    if scheme.lower() == b"basic":
        is_secret = b":" in (_decoded(value) or b"")
    else:  # "bearer authentication" is none
        is_secret = len(value) >= 20 or any(each in b"0123456789" for each in value)
    return bytes(scheme + between + _STARS) if is_secret else bytes(found.group())


def _url(found: Any) -> bytes:
    kept = found.group(1) or found.group(2) or found.group(3)
    return bytes(kept + _STARS + b"@")


def _assigned(found: Any) -> bytes:
    name, between, value = found.group(1, 2, 3)
    if not _holds(name, between, value):
        return bytes(found.group())
    return bytes(name + between + _quoted_stars(value))


def _holds(name: bytes, between: bytes, value: bytes) -> bool:
    bare = value.strip(b"\\\"'").lower().rstrip(b".")
    if not bare or bare in _NOTHING or not names_a_secret(name.decode("ascii", "replace")):
        return False
    return b"=" in between or value[:1] in b"\\\"'" or bare not in _PLAIN_WORDS


def _pair(found: Any) -> bytes:
    before, name, value = found.group(1, 2, 3)
    if not names_a_secret(name.decode("ascii", "replace")):
        return bytes(found.group())
    return bytes(before + _quoted_stars(value))


def _quoted_stars(value: bytes) -> bytes:
    """The stars in the quotes the value had, so that what was JSON still is."""
    opening = value[: len(value) - len(value.lstrip(b"\\\"'"))]
    closing = value[len(value.rstrip(b"\\\"'")) :] if opening else b""
    return opening + _STARS + closing


def _option(found: Any) -> bytes:
    name, between, value = found.group(1, 2, 3)
    if value.startswith(b"-") or value.lower() in _PLAIN_WORDS or not names_a_secret(name.decode()):
        return bytes(found.group())
    return bytes(name + between + _STARS)


def _query(found: Any) -> bytes:
    return bytes(found.group(1) + found.group(2) + b"'***'")


def _last_applied(found: Any) -> bytes:
    before, whole = bytes(found.group(1)), bytes(found.group())
    return before + b'"***"' + b"\n" * whole.count(b"\n")


def _card(found: Any) -> bytes:
    raw: bytes = found.group()
    before = found.string[found.start() - 1 : found.start()]
    digits = raw.replace(b" ", b"").replace(b"-", b"").decode("ascii")
    return _STARS if before not in {b".", b"-", b"/"} and is_card_number(digits) else raw


def _unwrapped(found: Any, depth: int) -> bytes:
    """Base64 of a text that holds a secret is one."""
    raw: bytes = found.group()
    if not raw.translate(None, _HEX):  # a digest or a trace's id, as in most lines
        return raw
    inside = _decoded(raw)
    if inside is None or _redacted(inside, depth + 1) is inside:
        return raw
    return _over_its_lines(raw)


def _decoded(raw: bytes) -> bytes | None:
    """What base64 holds if that is text."""
    packed = raw.translate(None, b"\r\n=").translate(_URL_SAFE)
    for cut in (len(packed), len(packed) - 1):  # a word before it may have left one character too many
        try:
            inside = base64.b64decode(packed[:cut] + b"=" * (-cut % 4), validate=True)
            return (
                inside if inside.decode("utf-8").replace("\n", "").replace("\r", "").isprintable() else None
            )
        except (binascii.Error, UnicodeDecodeError):
            continue
    return None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def _without_secret_data(raw: bytes) -> bytes:
    """A Secret as kubectl prints it: what is under data and stringData goes, its keys stay."""
    raw = shapes.SECRET_DATA.sub(lambda found: bytes(found.group(1)) + b'"***"', raw)
    lines = raw.split(b"\n")
    depth = -1
    """How far the data we are in is indented; -1 outside."""
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(b" \t"))
        if depth >= 0 and line.strip() and indent <= depth:
            depth = -1
        if depth >= 0 and line.strip():
            key, colon, _ = line.partition(b":")
            lines[number] = key + colon + b" " + _STARS if colon else line[:indent] + _STARS
        elif line.strip(b" \t\r-") in (b"data:", b"stringData:"):
            depth = indent
    return b"\n".join(lines)


_REPLACED: tuple[tuple[Any, Any], ...] = (
    (shapes.LAST_APPLIED, _last_applied),
    (shapes.PEM, _stars),
    (shapes.HEADER, _header),
    (shapes.SCHEME, _scheme),
    (shapes.URL, _url),
    (shapes.TOKEN, _stars),
    (shapes.PAIR, _pair),
    (shapes.ASSIGNED, _assigned),
    (shapes.OPTION, _option),
    (shapes.QUERY, _query),
)
"""In this order: what is larger goes first, so that its inside is not looked at again."""
