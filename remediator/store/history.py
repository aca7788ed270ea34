"""The questions steps may ask the database."""

from collections.abc import Collection

from remediator.domain.history import AlertSpan, ConfigStretch, Tenure
from remediator.domain.target import Target
from remediator.store import config_hashes, tenures
from remediator.store.database import Database


class DatabaseHistory:
    """domain.history.History over our own tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenures(self, target: Target) -> list[Tenure]:
        async with self._database.connection() as connection:
            return await tenures.of_target(connection, target)

    async def alert_spans(self, target: Target, alertname: str) -> list[AlertSpan]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """select alertname, starts_at, coalesce(ends_at, closed_at) as closed_at from episodes
                   where target = $1 and alertname = $2 order by starts_at, id""",
                str(target),
                alertname,
            )
        return [AlertSpan(**row) for row in rows]

    async def config_stretches(self, target: Target, names: Collection[str]) -> list[ConfigStretch]:
        async with self._database.connection() as connection:
            return await config_hashes.of_names(connection, target.cluster, target.namespace, names)

    async def open_alerts(self, run_id: int) -> list[str]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select fingerprint from episodes where run_id = $1 and closed_at is null order by id", run_id
            )
        return [row["fingerprint"] for row in rows]
