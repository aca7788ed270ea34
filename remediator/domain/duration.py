"""Durations as Prometheus writes them: `30s`, `5m`, `1h30m`, `7d`.

The grammar is prometheus/common's model.ParseDuration: units in falling order, each at most once,
no signs and no fractions.
"""

import re
from datetime import timedelta
from json import dumps
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"y": 365 * 86400.0, "w": 7 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_IN_MILLISECONDS = {unit: round(_UNITS[unit] * 1000) for unit in ("d", "h", "m", "s", "ms")}
"""Those that durations are written in, the largest first."""
_DURATION = re.compile(
    r"(?:(?P<y>\d+)y)?(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?(?:(?P<ms>\d+)ms)?"
)
_IN_JSON_SCHEMA = f"^(?!$)(?:0|{re.sub(r'[?]P<[a-z]+>', '', _DURATION.pattern)})$"
"""The same for a JSON Schema, which names no groups and has to refuse the empty text itself."""
_LONGEST = 100 * 365 * 86400.0
REMEMBERED = timedelta(days=90)
"""Whatever the settings say, what is over is kept for so long: nothing that counts or looks back may ask for more."""


def parse_duration(text: object) -> timedelta:
    """Read `1h30m`. Raises ValueError with a hint when the text is not a duration."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str):
        raise ValueError(f"a duration such as 30s, 5m or 1h30m, not {dumps(text, default=str)} (add a unit)")
    if text == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"not a duration: {text!r} (write 30s, 5m, 1h30m or 7d)")
    seconds = sum(int(count) * _UNITS[unit] for unit, count in found.groupdict().items() if count is not None)
    if seconds > _LONGEST:
        raise ValueError(f"longer than 100 years: {text!r}")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration the way parse_duration reads it: timedelta(minutes=90) is `1h30m`."""
    milliseconds = round(duration.total_seconds() * 1000)
    parts = []
    for unit, in_milliseconds in _IN_MILLISECONDS.items():
        count, milliseconds = divmod(milliseconds, in_milliseconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _IN_JSON_SCHEMA, "examples": ["30s", "5m", "1h30m"]}),
]
"""A timedelta that YAML and JSON write as `5m`."""
