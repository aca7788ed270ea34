"""Where a number is going: the slope of its last days."""

from collections.abc import Sequence
from datetime import datetime, timedelta

_DAY = timedelta(days=1)
_FEWEST = 3
"""Points without which there is no trend."""


def per_day(points: Sequence[tuple[datetime, float]]) -> float | None:
    """By how much it changes a day: the slope of the least squares line. None for too few points."""
    if len(points) < _FEWEST:
        return None
    days = [(at - points[0][0]) / _DAY for at, _ in points]
    mean_day, mean = sum(days) / len(days), sum(value for _, value in points) / len(points)
    spread = sum((day - mean_day) ** 2 for day in days)
    if spread == 0:
        return None
    together = sum((day - mean_day) * (value - mean) for day, (_, value) in zip(days, points, strict=True))
    return together / spread
