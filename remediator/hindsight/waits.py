"""How long alerts take to end by themselves, and how long a rule should therefore wait."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from remediator.domain.duration import format_duration
from remediator.domain.value import Value

_ENOUGH = 10
"""Of fewer episodes nothing is suggested: the ninth of ten is the first that says anything of nine in ten."""

_MINUTES = (0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440)
_READABLE = tuple(timedelta(minutes=each) for each in _MINUTES)
"""Durations that people would write."""


class SelfHealing(Value):
    """The distribution of the times from when an alert was first received until it ended by itself."""

    episodes: int
    p50_seconds: float
    p90_seconds: float
    p99_seconds: float
    suggested_wait: str | None
    """The 90th percentile rounded up to a readable duration; None of too few, or where that would be days."""


def self_healing(times: Sequence[timedelta]) -> SelfHealing | None:
    """None where nothing healed by itself. Percentiles are by nearest rank: each is a time that was seen."""
    if not times:
        return None
    p50, p90, p99 = (nearest_rank(times, share) for share in (50, 90, 99))
    return SelfHealing(
        episodes=len(times),
        p50_seconds=p50.total_seconds(),
        p90_seconds=p90.total_seconds(),
        p99_seconds=p99.total_seconds(),
        suggested_wait=_readable(p90) if len(times) >= _ENOUGH else None,
    )


def nearest_rank(times: Sequence[timedelta], percent: int) -> timedelta:
    """The smallest of the times that at least so many percent do not exceed. There must be one."""
    return sorted(times)[max(1, ceil(len(times) * percent / 100)) - 1]


def _readable(duration: timedelta) -> str | None:
    return next((format_duration(each) for each in _READABLE if each >= duration), None)
