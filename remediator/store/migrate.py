"""Brings the schema up to this program's version: numbered SQL files, forward only."""

import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from importlib.resources import files

import asyncpg

from remediator.errors import Permanent
from remediator.settings.sections import DatabaseLimits
from remediator.store.database import DATABASE_ERRORS, Database, open_database, server_settings

_LOCK = 0x72656D65  # "reme": any number, the same in every replica
_MIGRATION_SECONDS = 1800
_TABLE_SECONDS = 10
_PATIENT = DatabaseLimits(
    statement_timeout=timedelta(seconds=_MIGRATION_SECONDS),
    lock_timeout=timedelta(seconds=_MIGRATION_SECONDS),
)
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LEDGER = """
create table if not exists migrations (
    number integer primary key, name text not null, sha256 text not null,
    applied_at timestamptz)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of migrations/."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration this program knows, in order."""
    found = []
    for entry in files("remediator.store").joinpath("migrations").iterdir():
        name = _NAME.fullmatch(entry.name)
        if name is not None:
            found.append(Migration(int(name.group(1)), entry.name, entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda each: each.number)


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Several may run at once: one applies, the others wait for it. Raises Permanent when the schema
    is newer than this program or an applied file was edited since, and asyncpg's errors as they come.
    """
    connection = await asyncpg.connect(
        dsn, timeout=10, command_timeout=_MIGRATION_SECONDS + 2, server_settings=server_settings(_PATIENT)
    )
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        # Behind a migration that waits for a table everybody else would wait as well.
        await connection.execute(f"set lock_timeout = '{_TABLE_SECONDS}s'")
        await connection.execute(_LEDGER)
        applied = {row["number"]: row for row in await connection.fetch("select * from migrations")}
        known = migrations()
        _compare(applied, known)
        missing = [each for each in known if each.number not in applied]
        for each in missing:
            async with connection.transaction():
                await connection.execute(each.sql)
                await connection.execute(
                    "insert into migrations values ($1, $2, $3, remediator_now())",
                    each.number,
                    each.name,
                    each.sha256,
                )
        return [each.name for each in missing]
    finally:
        await connection.close()


def _compare(applied: dict[int, asyncpg.Record], known: list[Migration]) -> None:
    numbers = {each.number: each for each in known}
    newer = sorted(set(applied) - set(numbers))
    if newer:
        raise Permanent(
            f"the database's schema is newer than this program (it has {applied[newer[-1]]['name']}): "
            "run the newer remediator, or restore the backup made before the upgrade"
        )
    for number, row in applied.items():
        if row["sha256"] != numbers[number].sha256:
            raise Permanent(f"{row['name']} was changed after it was applied: put the original file back")


async def pending(dsn: str) -> list[str]:
    """Names of migrations not applied yet, without applying any."""
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=30, server_settings=server_settings())
    try:
        there = await connection.fetchval("select to_regclass('public.migrations') is not null")
        rows = await connection.fetch("select * from migrations") if there else []
        applied = {row["number"]: row for row in rows}
        known = migrations()
        _compare(applied, known)
        return [each.name for each in known if each.number not in applied]
    finally:
        await connection.close()


async def open_migrated(database_url: str, limits: DatabaseLimits) -> Database:
    """The database, at this program's version. Raises Permanent with what to do otherwise."""
    if not database_url:
        raise Permanent("no database is configured: give --database-url or REMEDIATOR_DATABASE_URL")
    try:
        missing = await pending(database_url)
        if missing:
            raise Permanent(f"the database lacks {', '.join(missing)}: run `remediator migrate` first")
        return await open_database(database_url, limits=limits)
    except DATABASE_ERRORS as reason:
        raise Permanent(f"the database cannot be reached: {str(reason) or type(reason).__name__}") from reason
