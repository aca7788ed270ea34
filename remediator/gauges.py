"""Keeps the gauges that come from the database up to date."""

from remediator.domain.belonging import Belongs
from remediator.planning.rules_in_force import RulesInForce
from remediator.settings.sections import Budgets
from remediator.store import approvals, budgets, notices, outbox, pauses, runs, storms
from remediator.store.database import Database
from remediator.telemetry import Metrics


class Gauges:
    """One unit of its work is one look at the database."""

    def __init__(
        self, database: Database, metrics: Metrics, rules: RulesInForce, limits: Budgets, belonging: Belongs
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._rules = rules
        self._limits = limits
        self._belonging = belonging
        for budget in ("everywhere", "in_namespace", "unsettled"):
            metrics.budget_limit.labels(budget).set(getattr(limits, budget))

    async def tick(self) -> bool:
        """Read and set; never finds more to do at once."""
        async with self._database.connection() as connection:
            self._metrics.set_runs(await runs.count_by_state(connection))
            self._metrics.set_pauses(await pauses.counted(connection))
            waiting, seconds = await approvals.waiting(connection)
            self._metrics.approvals_waiting.set(waiting)
            self._metrics.oldest_approval.set(seconds)
            self._metrics.oldest_unread_notice.set(await notices.oldest_unread_seconds(connection))
            self._metrics.oldest_undelivered_notice.set(await outbox.oldest_undelivered_seconds(connection))
            storms_on = await storms.in_force(connection)
            everywhere = sum(1 for each in storms_on if each.namespace is None)
            self._metrics.storm.labels("everywhere").set(everywhere)
            self._metrics.storm.labels("namespace").set(len(storms_on) - everywhere)
            for budget, count in (await budgets.taken(connection, self._limits.per.total_seconds())).items():
                self._metrics.budget_taken.labels(budget).set(count)
        self._metrics.database_is_ours.set(0 if await self._belonging.against() is not None else 1)
        await self._rules.show_modes()
        return False
