"""The one place that knows all objectives."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from remediator.clients.prometheus import PrometheusClient
from remediator.clock import Clock
from remediator.domain.slo import ErrorRate, SloStatus
from remediator.settings.service_levels import ServiceLevel
from remediator.slo.declared import declared
from remediator.slo.error_rates import error_rates
from remediator.slo.recorded import PYRRA, SLOTH, recorded


class PrometheusSlos:
    """domain.slo.Slos over one Prometheus."""

    def __init__(self, prometheus: PrometheusClient, clock: Clock, levels: Sequence[ServiceLevel]) -> None:
        self._prometheus = prometheus
        self._clock = clock
        self._levels = levels

    async def statuses(self) -> list[SloStatus]:
        now = self._clock.now()
        found = await asyncio.gather(
            recorded(self._prometheus, SLOTH, now),
            recorded(self._prometheus, PYRRA, now),
            declared(self._prometheus, self._levels, now),
        )
        return sorted((each for listed in found for each in listed), key=lambda each: each.objective.name)

    async def error_rates(self, over: timedelta) -> list[ErrorRate]:
        found = await error_rates(self._prometheus, self._levels, over, self._clock.now())
        return sorted(found, key=lambda each: each.name)
