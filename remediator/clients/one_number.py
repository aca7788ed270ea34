"""The one number a query has to give before anything is decided by it."""

import math
from datetime import datetime, timedelta

from remediator.clients.prometheus import PrometheusClient

_STALE = timedelta(minutes=5)
"""Prometheus' own look-back (--query.lookback-delta)."""


async def one_number(prometheus: PrometheusClient, query: str, now: datetime) -> float | str:
    """The one fresh, finite number a query answers, or the sentence why there is none.

    No series and several are both none: which of several would count? A sample is fresh within five minutes
    of `now`, in either direction. Raises Retryable or Permanent as the client does.
    """
    samples = await prometheus.query(query)
    if not samples:
        return "the query answered nothing"
    if len(samples) > 1:
        return f"the query answered {len(samples)} series, not one"
    if not math.isfinite(samples[0].value):
        return f"the query answered {samples[0].value}"
    if abs(now - samples[0].at) > _STALE:
        return f"the newest sample is of {samples[0].at.isoformat()}"
    return samples[0].value
