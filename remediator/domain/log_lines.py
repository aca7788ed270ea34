"""What lines of a log say together: how many a minute, which errors, since when, and from which addresses."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Literal, NamedTuple

from remediator.domain.value import JsonObject, Value

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d) ?")
_LEVEL = re.compile(
    r"""["']?\b(?:level|severity|lvl)["']?\s*[=:]\s*["']?(\w+)"""
    r"|^\W*(?:\S+ ){0,3}?\W?((?-i:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC))\b",
    re.IGNORECASE,
)
_ERROR_LEVELS = frozenset({"error", "err", "fatal", "critical", "crit", "panic", "emerg", "alert", "severe"})
_ERROR = re.compile(
    r"\b(?:error|exception|fatal|panic|critical|traceback|failed)\b|(?-i:(?:Error|Exception)\b)",
    re.IGNORECASE,
)
_NO_ERROR = re.compile(r"\b(?:no|without|0) errors?\b|\berrors?\s*[=:]\s*0\b", re.IGNORECASE)
_VARIABLE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|0x[0-9a-f]+|\b[0-9a-f]{12,}\b|\b\d[\d.:,]*(?:ms|s|us|ns|m|h|%|[KMG]i?B)?\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"]{0,500}\"|'[^']{0,500}'")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:]|\.\d)",
    re.IGNORECASE,
)
_LONGEST_SIGNATURE = 160
_LOOKED_AT = 2000
"""Characters of a line that are looked at: what comes after says nothing new, and takes time."""

Since = Literal["rollout", "before", "unknown"]


class Line(NamedTuple):
    """One line, as `line` makes it; `at` is None where the log does not tell the time."""

    at: datetime | None
    text: str
    error: bool
    """Whether it tells of one, which takes some time to find out."""


def line(at: datetime | None, text: str) -> Line:
    """One line with what is_error says of it."""
    return Line(at, text, is_error(text))


class Signature(Value):
    """Errors that differ in nothing but numbers, names and times."""

    signature: str
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    since: Since
    """Whether it was first seen after the rollout: unknown when the lines do not go back to before it."""
    example: str


def stamped(log: str) -> list[tuple[datetime | None, str]]:
    """The lines of a log that was asked for with timestamps. A line that has none keeps its whole text."""
    raw = log.split("\n")
    return [_stamp_and_text(each) for each in (raw[:-1] if raw[-1] == "" else raw)]


def _stamp_and_text(raw: str) -> tuple[datetime | None, str]:
    found = _STAMP.match(raw)
    try:
        at = datetime.fromisoformat(found[1] + found[2]) if found is not None else None
    except ValueError:
        return None, raw
    return at, raw[found.end() :] if found is not None else raw


def is_error(text: str) -> bool:
    """Whether a line tells of an error: by its level where it names one, else by its words."""
    if not text:
        return False
    line = text[:_LOOKED_AT]
    level = _LEVEL.search(line[:200])
    if level is not None:
        return (level[1] or level[2]).lower() in _ERROR_LEVELS
    return _ERROR.search(line) is not None and _NO_ERROR.search(line) is None


def signature_of(text: str) -> str:
    """The line without what differs from one occurrence to the next."""
    constant = _VARIABLE.sub("<n>", _QUOTED.sub("<q>", text[:_LOOKED_AT]))
    return " ".join(constant.split())[:_LONGEST_SIGNATURE]


def signatures(lines: Iterable[Line], rollout: datetime | None, most: int) -> list[Signature]:
    """The errors in these lines, those first that came with the rollout, then the most frequent."""
    oldest: datetime | None = None
    by_signature: dict[str, list[Line]] = {}
    for each in lines:
        if each.at is not None and (oldest is None or each.at < oldest):
            oldest = each.at
        if each.error:
            by_signature.setdefault(signature_of(each.text), []).append(each)
    reaches_back = oldest is not None and rollout is not None and oldest < rollout
    found = [
        _signature(name, each, rollout, reaches_back=reaches_back) for name, each in by_signature.items()
    ]
    return sorted(found, key=lambda each: (each.since != "rollout", -each.count, each.signature))[:most]


def _signature(
    name: str, lines: Sequence[Line], rollout: datetime | None, *, reaches_back: bool
) -> Signature:
    moments = [each.at for each in lines if each.at is not None]
    since: Since = "unknown"
    if moments and rollout is not None:
        if min(moments) < rollout:
            since = "before"
        elif reaches_back:
            since = "rollout"
    return Signature(
        signature=name,
        count=len(lines),
        first_seen=min(moments, default=None),
        last_seen=max(moments, default=None),
        since=since,
        example=lines[0].text[:300],
    )


def per_minute(lines: Iterable[Line], most: int) -> list[JsonObject]:
    """Lines and errors of each minute in which there were any, the newest `most` of them, oldest first."""
    every: Counter[datetime] = Counter()
    errors: Counter[datetime] = Counter()
    for each in lines:
        if each.at is not None:
            minute = each.at.replace(second=0, microsecond=0)
            every[minute] += 1
            errors[minute] += each.error
    return [
        {"minute": minute.isoformat(), "lines": every[minute], "errors": errors[minute]}
        for minute in sorted(every)[-most:]
    ]


def addresses(lines: Iterable[Line], most: int) -> list[JsonObject]:
    """The IP addresses that the lines name, with the number of lines each is in, the most frequent first."""
    found: Counter[str] = Counter()
    for each in lines:
        found.update({name for name in _ADDRESS.findall(each.text[:_LOOKED_AT]) if _is_address(name)})
    return [{"address": address, "lines": count} for address, count in found.most_common(most)]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
