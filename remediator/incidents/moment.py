"""One entry of a timeline."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.domain.duration import format_duration

Row = tuple[str, ...]
"""Cells side by side, aligned with those of the other rows; a single cell takes the whole width."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was seen, decided or done."""

    at: datetime
    label: str
    """What kind of thing: one short word."""
    rows: tuple[Row, ...]
    run_id: int | None = None


def lasted(duration: timedelta) -> str:
    """A length of time for people: `42s`, `9m30s`, `3h20m`, `2d3h`."""
    seconds = int(duration.total_seconds())
    if seconds >= 86400:
        seconds -= seconds % 3600
    elif seconds >= 3600:
        seconds -= seconds % 60
    return format_duration(timedelta(seconds=seconds))
