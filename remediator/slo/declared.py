"""Objectives of the settings, each with a query of its own for the share of events that went wrong."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from remediator.clients.one_number import one_number
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.duration import format_duration
from remediator.domain.slo import Objective, Point, SloStatus
from remediator.errors import Permanent
from remediator.settings.service_levels import ServiceLevel
from remediator.slo.budget import left_of, status_of

_HISTORY, _EVERY = timedelta(days=7), timedelta(days=1)
_NOW = timedelta(hours=1)
"""By how much time it is judged how fast the budget is used up."""
WINDOW = "${window}"
_AT_ONCE = 4


async def declared(
    prometheus: PrometheusClient, levels: Sequence[ServiceLevel], now: datetime
) -> list[SloStatus]:
    """The status of each. A query that is wrong hides no other; raises Retryable when Prometheus cannot be asked."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(level: ServiceLevel) -> SloStatus:
        async with turns:
            return await _status(prometheus, level, now)

    return await asyncio.gather(*map(in_turn, levels))


async def _status(prometheus: PrometheusClient, level: ServiceLevel, now: datetime) -> SloStatus:
    objective = Objective(
        name=level.name,
        objective=level.objective,
        window=level.window,
        source="settings",
        targets=level.targets,
    )
    over = level.errors.replace(WINDOW, format_duration(level.window))
    try:
        ratio = await one_number(prometheus, over, now)
        recent = await one_number(prometheus, level.errors.replace(WINDOW, format_duration(_NOW)), now)
        past = await prometheus.ranged(over, now - _HISTORY, now, _EVERY)
    except Permanent as reason:
        return status_of(objective, None, None, why=reason.sentence)
    if isinstance(ratio, str):
        return status_of(objective, None, None, why=ratio)
    points = [Point(at=at, left=left_of(one, objective)) for each in past[:1] for at, one in each.samples]
    burn = None if isinstance(recent, str) else recent / objective.budget
    return status_of(objective, left_of(ratio, objective), burn, points)
