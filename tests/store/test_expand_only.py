"""The version before this one goes on working on the schema of this one, while replicas are replaced one by one."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from remediator.sandbox.postgres import PostgresServer
from remediator.store.migrate import migrations
from tests.support.databases import create_database

BEFORE = 9
"""The last migration of the version before this one. Raised with each release, and by nothing else."""

_COLUMNS = """
select table_name || '.' || column_name as name, udt_name as type, is_nullable = 'YES' as nullable,
       column_default is not null or is_identity = 'YES' or is_generated = 'ALWAYS' as filled
from information_schema.columns where table_schema = 'public'"""
_FUNCTIONS = """
select oid::regprocedure::text as name, prorettype::regtype::text as type from pg_proc
where pronamespace = 'public'::regnamespace"""
_RULES = """
select conrelid::regclass || ': ' || pg_get_constraintdef(oid) as name, contype::text as type from pg_constraint
where connamespace = 'public'::regnamespace and conrelid <> 0 and contype in ('c', 'u', 'x', 'f', 'p')
union all
select indrelid::regclass || ': ' || pg_get_indexdef(indexrelid), 'unique index' from pg_index
join pg_class c on c.oid = indrelid where relnamespace = 'public'::regnamespace and indisunique"""


class Catalogue:
    """What statements of a version may rely on."""

    def __init__(self, columns: list[Any], functions: list[Any], rules: list[Any]) -> None:
        self.columns = {row["name"]: (row["type"], row["nullable"], row["filled"]) for row in columns}
        self.functions = {row["name"]: row["type"] for row in functions}
        self.rules = {row["name"] for row in rules}
        self.tables = {name.partition(".")[0] for name in self.columns}

    def breaks(self, later: "Catalogue") -> Iterator[str]:
        """What the version that knows this one would find missing, changed or forbidden in a later one."""
        for name, (kind, _, _) in self.columns.items():
            if name not in later.columns:
                yield f"{name} is gone"
            elif later.columns[name][0] != kind:
                yield f"{name} was {kind} and is {later.columns[name][0]}"
        for name, kind in self.functions.items():
            if later.functions.get(name) != kind:
                yield f"{name} is gone, or answers something else"
        yield from self._binds(later)

    def _binds(self, later: "Catalogue") -> Iterator[str]:
        for name, (_, nullable, filled) in later.columns.items():
            _, was_nullable, was_filled = self.columns.get(name, ("", True, True))
            had_to = not (was_nullable or was_filled)
            if name.partition(".")[0] in self.tables and not (had_to or nullable or filled):
                yield f"{name} has to be given"
        for name in later.rules - self.rules:
            if name.partition(":")[0] in self.tables:
                yield f"a rule that it does not know binds it: {name}"


async def catalogue(connection: "asyncpg.Connection[asyncpg.Record]") -> Catalogue:
    return Catalogue(*[await connection.fetch(query) for query in (_COLUMNS, _FUNCTIONS, _RULES)])


@pytest.fixture
def empty(postgres: PostgresServer) -> str:
    return create_database(postgres, "expand_only")


async def test_migrations_since_the_version_before_only_add(empty: str) -> None:
    connection = await asyncpg.connect(empty)
    try:
        for each in migrations():
            if each.number <= BEFORE:
                await connection.execute(each.sql)
        known = await catalogue(connection)
        for each in migrations():
            if each.number > BEFORE:
                await connection.execute(each.sql)
        assert list(known.breaks(await catalogue(connection))) == []
        for statement, said in (
            ("alter table runs drop column plan", "runs.plan is gone"),
            ("alter table runs alter column rung type bigint", "runs.rung was int4 and is int8"),
            ("alter table runs add column x text not null", "runs.x has to be given"),
            ("alter table attempts alter column sends drop default", "attempts.sends has to be given"),
            ("drop function undone_by", "undone_by(bigint) is gone, or answers something else"),
            (
                "alter table runs add check (rung < 9)",
                "a rule that it does not know binds it: runs: CHECK ((rung < 9))",
            ),
        ):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(statement)
            assert said in list(known.breaks(await catalogue(connection)))
            await transaction.rollback()
    finally:
        await connection.close()
