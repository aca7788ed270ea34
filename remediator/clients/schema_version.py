"""Asks an application's database at which version its schema is: read-only, and for a few seconds at most."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.domain.target import Target
from remediator.errors import Permanent, Retryable

if TYPE_CHECKING:
    import asyncpg

KNOWN_TABLES = {
    "alembic_version": "select string_agg(version_num, ',' order by version_num) from alembic_version",
    "flyway_schema_history": """select coalesce(version, description) from flyway_schema_history
                                where success order by installed_rank desc limit 1""",
    "schema_migrations": "select max(version)::text from schema_migrations",
    "django_migrations": "select concat(app, '.', name) from django_migrations order by id desc limit 1",
    "goose_db_version": "select version_id::text from goose_db_version where is_applied order by id desc limit 1",
}
"""Where migration tools keep what they have applied: Alembic, Flyway, Rails and golang-migrate, Django, goose."""

_SECONDS = 5.0
_SERVER_SETTINGS = {
    "application_name": "remediator",
    "default_transaction_read_only": "on",
    "statement_timeout": "3s",
    "lock_timeout": "1s",
}


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One database of applications, as the settings name it."""

    name: str
    dsn_file: Path
    targets: frozenset[str]
    """`kind/namespace/name` of the workloads whose schema it holds."""
    query: str | None = None
    """Answers one text, instead of the known tables."""

    def serves(self, target: Target) -> bool:
        """Whether this target's schema is in here."""
        return str(target) in self.targets

    async def head(self) -> str:
        """The version, for comparing and for people. Raises Retryable or Permanent when it cannot be told."""
        import asyncpg  # every step reaches this module, and checking rule files needs no database

        try:
            connection = await asyncpg.connect(
                self.dsn_file.read_text(encoding="utf-8").strip(),
                timeout=_SECONDS,
                command_timeout=_SECONDS,
                server_settings=_SERVER_SETTINGS,
            )
            try:
                return await self._asked(connection)
            finally:
                await connection.close(timeout=_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as reason:
            # The address holds a password: only what the server said is passed on.
            said = reason.strerror if isinstance(reason, OSError) else str(reason)
            raise Retryable(f"database {self.name}: {said or type(reason).__name__}") from None

    async def _asked(self, connection: "asyncpg.Connection[asyncpg.Record]") -> str:
        if self.query is not None:
            answer = await connection.fetchval(self.query)
            if answer is None:
                raise Permanent(f"database {self.name}: version_query answers nothing")
            return str(answer)
        heads = []
        for table, query in KNOWN_TABLES.items():
            if await connection.fetchval("select to_regclass($1)", table) is not None:
                heads.append(f"{table} {await connection.fetchval(query)}")
        if not heads:
            tables = ", ".join(KNOWN_TABLES)
            raise Permanent(f"database {self.name} has none of {tables}: give version_query")
        return "; ".join(heads)
