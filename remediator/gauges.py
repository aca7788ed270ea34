"""Keeps the gauges that come from the database up to date."""

import logging
from datetime import timedelta
from itertools import product

from remediator.catalogue import ALWAYS_ON
from remediator.domain.answers import GuardAnswer
from remediator.memory.standstill import Standstill
from remediator.planning.rules_in_force import RulesInForce
from remediator.settings.load import Settings
from remediator.store import (
    acted_runs,
    approvals,
    budgets,
    notices,
    outbox,
    pauses,
    recoveries,
    runs,
    server,
    storms,
)
from remediator.store.database import DATABASE_ERRORS, Connection, Database
from remediator.telemetry import Metrics

LOOK_BACK_EVERY = 60.0
"""Seconds."""

_log = logging.getLogger(__name__)

_PAST = timedelta(days=30)
_QUANTILES = (0.5, 0.9)


class Gauges:
    """One unit of its work is one look at the database, at what is now or at the last weeks."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        rules: RulesInForce,
        settings: Settings,
        standstill: Standstill,
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._rules = rules
        self._limits = settings.budgets
        self._came_back_within = settings.breakers.came_back_within
        self._standstill = standstill
        for budget in ("everywhere", "in_namespace", "unsettled"):
            metrics.budget_limit.labels(budget).set(getattr(self._limits, budget))
        # Prometheus' increase() does not see the first count of a series that was not there before.
        for guard, answer in product(ALWAYS_ON, GuardAnswer):
            metrics.guard_verdicts.labels(guard.key(), answer)

    async def tick(self) -> bool:
        """Read and set, first why nothing is changed; never finds more to do at once. Raises the database's errors."""
        try:
            async with self._database.connection() as connection:
                with self._metrics.database_commit.time():
                    await server.commit_nothing(connection)
            reasons = await self._standstill.reasons()
        except DATABASE_ERRORS:
            self._metrics.set_cannot_act({"database"})
            raise
        self._metrics.set_cannot_act(reasons.keys())
        self._metrics.database_is_ours.set(0 if "cluster" in reasons else 1)
        async with self._database.connection() as connection:
            await self._now(connection)
            await self._stuck(connection)
        await self._rules.show_modes()
        return False

    async def look_back(self) -> bool:
        """Read and set the numbers of the last weeks; never finds more to do at once.

        These are for the dashboard alone: where they cannot be had, the log says so, and they stay as they were.
        """
        try:
            async with self._database.connection() as connection:
                await self._of_weeks(connection)
        except DATABASE_ERRORS as reason:
            _log.warning("the numbers of the last weeks cannot be had: %s: %s", type(reason).__name__, reason)
        return False

    async def _now(self, connection: Connection) -> None:
        metrics = self._metrics
        metrics.set_runs(await runs.count_by_state(connection))
        metrics.set_pauses(await pauses.counted(connection))
        storms_on = await storms.in_force(connection)
        everywhere = sum(1 for each in storms_on if each.namespace is None)
        metrics.storm.labels("everywhere").set(everywhere)
        metrics.storm.labels("namespace").set(len(storms_on) - everywhere)
        for budget, count in (await budgets.taken(connection, self._limits.per.total_seconds())).items():
            metrics.budget_taken.labels(budget).set(count)

    async def _stuck(self, connection: Connection) -> None:
        metrics = self._metrics
        waiting, seconds = await approvals.waiting(connection)
        metrics.approvals_waiting.set(waiting)
        metrics.oldest_approval.set(seconds)
        metrics.oldest_unplanned_alert.set(await notices.oldest_unplanned_seconds(connection))
        metrics.oldest_undelivered_notice.set(await outbox.oldest_undelivered_seconds(connection))
        metrics.longest_lock.set(await runs.longest_lock_seconds(connection))

    async def _of_weeks(self, connection: Connection) -> None:
        metrics = self._metrics
        nothing = dict.fromkeys(acted_runs.SEQUELS, 0)
        unchanged = {each.rule: nothing for each in self._rules.rules()}
        metrics.set_changes(unchanged | await acted_runs.sequels(connection, _PAST, self._came_back_within))
        ended = await recoveries.recoveries(connection, _PAST, _QUANTILES)
        metrics.to_recovery.clear()
        metrics.to_effect.clear()
        for each in ended:
            metrics.alerts_ended.labels(each.by).set(each.alerts)
            for quantile, seconds in zip(_QUANTILES, each.to_recovery, strict=False):
                metrics.to_recovery.labels(each.by, f"{quantile:g}").set(seconds)
            if each.by == "remediator":
                for quantile, seconds in zip(_QUANTILES, each.to_effect, strict=False):
                    metrics.to_effect.labels(f"{quantile:g}").set(seconds)
