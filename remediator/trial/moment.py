"""Times as a file of tests writes them: counted from when the test begins, and before that with a minus."""

from datetime import timedelta
from json import dumps
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from remediator.domain.duration import format_duration, parse_duration

_EARLIEST, _LATEST = timedelta(days=-90), timedelta(days=2)


def _moment(given: Any) -> Any:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str):
        raise ValueError(f"a time such as 0s, 5m or -3d, not {dumps(given, default=str)} (add a unit)")
    before = given.startswith("-")
    moment = parse_duration(given[1:] if before else given)
    moment = -moment if before else moment
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError(f"{given!r} is not within -90d and 2d")
    return moment


def at_text(moment: timedelta) -> str:
    """`-4m` and `1h30m`, as a file of tests writes them."""
    return f"-{format_duration(-moment)}" if moment < timedelta(0) else format_duration(moment)


Moment = Annotated[
    timedelta,
    BeforeValidator(_moment),
    WithJsonSchema(
        {"type": "string", "pattern": "^-?(0|([0-9]+(y|w|d|h|ms|m|s))+)$", "examples": ["-3d", "5m"]}
    ),
]
"""Time since the test began; what is before it is history."""
