"""Asks an application's database at which version its schema is: read-only, and for a few seconds at most."""

from dataclasses import dataclass
from pathlib import Path

from remediator.clients.postgres import Session, session
from remediator.domain.target import Target
from remediator.errors import Permanent

KNOWN_TABLES = {
    "alembic_version": "select string_agg(version_num, ',' order by version_num) from alembic_version",
    "flyway_schema_history": """select coalesce(version, description) from flyway_schema_history
                                where success order by installed_rank desc limit 1""",
    "schema_migrations": "select max(version)::text from schema_migrations",
    "django_migrations": "select concat(app, '.', name) from django_migrations order by id desc limit 1",
    "goose_db_version": "select version_id::text from goose_db_version where is_applied order by id desc limit 1",
}
"""Where migration tools keep what they have applied: Alembic, Flyway, Rails and golang-migrate, Django, goose."""


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
        async with session(self.name, self.dsn_file) as opened:
            return await schema_head(opened, self.query)


async def schema_head(opened: Session, query: str | None) -> str:
    """What `query` answers, or the tables of the known tools. Raises Retryable or Permanent."""
    if query is not None:
        answer = await opened.value(query)
        if answer is None:
            raise Permanent(f"database {opened.name}: version_query answers nothing")
        return str(answer)
    heads = []
    for table, version in KNOWN_TABLES.items():
        if await opened.value("select to_regclass($1)::text", table) is not None:
            heads.append(f"{table} {await opened.value(version)}")
    if not heads:
        tables = ", ".join(KNOWN_TABLES)
        raise Permanent(f"database {opened.name} has none of {tables}: give version_query")
    return "; ".join(heads)
