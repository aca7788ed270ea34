"""PostgreSQL as doctor finds it."""

from collections.abc import Iterator

import asyncpg
import pytest

from remediator.sandbox.postgres import PostgresServer
from remediator.store.database import open_database
from remediator.store.migrate import migrations
from remediator.store.server import commit_nothing, server
from tests.doctor.installation import Installation
from tests.support.databases import create_database


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database nobody has migrated."""
    return iter([create_database(postgres, "doctor_empty")])


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_migrations_that_are_missing_are_named(
    installation: Installation, empty_database_url: Iterator[str]
) -> None:
    installation.settings["database_url"] = next(empty_database_url)
    status, found = await installation.found()
    missing = ", ".join(each.name for each in migrations())
    assert ("failed", f"it lacks {missing}", "run `remediator migrate`") in found["database"]
    assert found["clock"][1].level == "unknown"
    assert found["delivery"][0].level == "unknown"
    assert status == 1


async def test_a_schema_newer_than_this_program_is_said(installation: Installation) -> None:
    url = installation.settings["database_url"]
    await _run(url, "insert into migrations values (9999, '9999_later.sql', 'x', remediator_now())")
    (said,) = [each for each in await installation.finds("database") if each.level == "failed"]
    assert "newer than this program" in said.saw


async def test_a_user_without_the_rights_is_told_for_which_tables(installation: Installation) -> None:
    url = installation.settings["database_url"]
    await _run(
        url,
        """drop role if exists doctor_reader; create role doctor_reader login password 'x';
           grant select, insert, update on all tables in schema public to doctor_reader;
           revoke update on notices, runs from doctor_reader;
           create table somebody_elses (id integer)""",
    )
    try:
        installation.settings["database_url"] = _as(url, "doctor_reader")
        (said,) = [each for each in await installation.finds("database") if each.level == "failed"]
        assert said.saw == "the user doctor_reader may not select, insert and update in notices, runs"
    finally:
        await _run(url, "drop owned by doctor_reader; drop role doctor_reader")


def _as(url: str, user: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:x@{rest.rpartition('@')[2]}"


async def test_a_database_that_takes_no_writes_is_said(installation: Installation) -> None:
    url = installation.settings["database_url"]
    name = url.partition("?")[0].rpartition("/")[2]
    await _run(url, f"alter database {name} set default_transaction_read_only = on")
    levels = {each.saw: each.level for each in await installation.finds("database")}
    assert levels["it refuses writes"] == "failed"


async def test_a_commit_is_measured_without_changing_a_row(real_time_database_url: str) -> None:
    database = await open_database(real_time_database_url, size=1)
    try:
        async with database.connection() as connection:
            before = await connection.fetchval("select pg_current_wal_insert_lsn()")
            await commit_nothing(connection)
            assert await connection.fetchval("select pg_current_wal_insert_lsn() > $1", before)
            there = await server(connection)
        assert there.version_num >= 150000
        assert not there.standby
    finally:
        await database.close()
