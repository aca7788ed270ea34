"""Numbers of Prometheus over the last week. No section, but what capacity is made of."""

import math
from datetime import datetime, timedelta

from remediator.clients.prometheus import PrometheusClient
from remediator.domain.trend import per_day
from remediator.domain.value import Value

_WEEK, _EVERY = timedelta(days=7), timedelta(hours=12)


class Share(Value):
    """How full something is, and where that is going."""

    labels: dict[str, str]
    now: float
    history: tuple[float, ...]
    days_left: float | None
    """Until it is full, if it goes on so; None when it does not grow."""


async def shares(prometheus: PrometheusClient, query: str, end: datetime) -> list[Share]:
    """Of every series that a query for a share of something gives now, the fullest first. Raises as the client does."""
    found = []
    for series in await prometheus.ranged(query, end - _WEEK, end, _EVERY):
        points = [(at, value) for at, value in series.samples if math.isfinite(value)]
        if not points or end - points[-1][0] > _EVERY:
            continue  # what is gone fills up no more
        now, slope = points[-1][1], per_day(points)
        days = max(0.0, (1.0 - now) / slope) if slope is not None and slope > 0 else None
        history = tuple(value for _, value in points)
        found.append(Share(labels=series.labels, now=now, history=history, days_left=days))
    return sorted(found, key=lambda each: (-each.now, str(each.labels)))
