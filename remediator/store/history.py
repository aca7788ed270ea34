"""The questions steps may ask the database."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from remediator.domain.belonging import Binding
from remediator.domain.breaker import BreakerState
from remediator.domain.change import Change
from remediator.domain.history import AlertSpan, ConfigStretch, OpenAlert, ReplicaCount, Tenure
from remediator.domain.storm import Surroundings
from remediator.domain.target import Target
from remediator.settings.sections import Breakers
from remediator.store import (
    alerts_of_target,
    attempts,
    breakers,
    clusters,
    config_hashes,
    replica_counts,
    schema_heads,
    storms,
    tenures,
)
from remediator.store.database import Database


class DatabaseHistory:
    """domain.history.History over our own tables."""

    def __init__(self, database: Database, breaker_rule: Breakers) -> None:
        self._database = database
        self._breaker_rule = breaker_rule

    async def binding(self) -> Binding | None:
        async with self._database.connection() as connection:
            return await clusters.bound(connection)

    async def tenures(self, target: Target) -> list[Tenure]:
        async with self._database.connection() as connection:
            return await tenures.of_target(connection, target)

    async def replica_counts(self, target: Target) -> list[ReplicaCount]:
        async with self._database.connection() as connection:
            return await replica_counts.of_target(connection, target)

    async def alert_spans(self, target: Target, alertname: str | None) -> list[AlertSpan]:
        async with self._database.connection() as connection:
            return await alerts_of_target.spans(
                connection, target, None if alertname is None else [alertname]
            )

    async def config_stretches(self, target: Target, names: Collection[str]) -> list[ConfigStretch]:
        async with self._database.connection() as connection:
            return await config_hashes.of_names(connection, target.cluster, target.namespace, names)

    async def attempted_at(self, target: Target, marker: str) -> datetime | None:
        async with self._database.connection() as connection:
            found: datetime | None = await connection.fetchval(
                """select coalesce(outcome_at, intended_at) from attempts
                   where cluster = $1 and kind = $2 and namespace = $3 and name = $4
                     and concat_ws('/', run_id, rung, action_index) = $5""",
                target.cluster,
                target.kind,
                target.namespace,
                target.name,
                marker,
            )
        return found

    async def effects_of(self, run_id: int) -> list[Change]:
        async with self._database.connection() as connection:
            return await attempts.effects_of(connection, run_id)

    async def schema_heads(self, name: str, since: datetime, until: datetime) -> list[str]:
        async with self._database.connection() as connection:
            return await schema_heads.between(connection, name, since, until)

    async def alerts_open_on(self, target: Target) -> list[str]:
        async with self._database.connection() as connection:
            return await alerts_of_target.names_open_on(connection, target)

    async def open_beside(self, run_id: int, target: Target) -> list[OpenAlert]:
        async with self._database.connection() as connection:
            return await alerts_of_target.open_beside(connection, run_id, target)

    async def breaker(self, target: Target) -> BreakerState:
        async with self._database.connection() as connection:
            return await breakers.of_target(connection, target, self._breaker_rule)

    async def open_alerts(self, run_id: int) -> list[str]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select fingerprint from episodes where run_id = $1 and closed_at is null order by id", run_id
            )
        return [row["fingerprint"] for row in rows]

    async def surroundings(
        self, target: Target, depends_on: Sequence[str], window: timedelta, together: timedelta
    ) -> Surroundings:
        async with self._database.connection() as connection:
            return await storms.surroundings(connection, target, depends_on, window, together)
