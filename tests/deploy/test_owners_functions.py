"""What runs in the database as the owner of the tables, and who may have it run."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from remediator.sandbox.postgres import PostgresServer
from remediator.store import grants, migrate
from tests.support.databases import private_postgres

OF_THE_OWNER = """
select proname, coalesce((select split_part(each, '=', 2) from unnest(proconfig) as each
                          where each like 'search_path=%'), '') as path,
       has_function_privilege('remediator_intake', oid, 'execute') as intake, prorettype = 'trigger'::regtype as fires
from pg_proc where pronamespace = 'public'::regnamespace and prosecdef"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with private_postgres() as running:
        yield running


@pytest.fixture(scope="module", params=["remediator_owner", "remediator"])
def given(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that somebody else than deploy/database/users.sql made, for an owner of this name; its URL."""
    owner, roles = request.param, sorted({request.param, "remediator", "remediator_intake"})
    url = server.dsn("given")
    of_the_owner = url.replace("user=postgres", f"user={owner}")
    create = [*(f"create role {role} login" for role in roles), f"create database given owner {owner}"]
    asyncio.run(execute(server, create))
    try:
        assert asyncio.run(migrate.migrate(of_the_owner))
        asyncio.run(grants.grant(of_the_owner))
        yield url
    finally:
        drop = ["drop database given with (force)", *(f"drop role {role}" for role in roles)]
        asyncio.run(execute(server, drop))


async def execute(server: PostgresServer, statements: list[str]) -> None:
    administrator = await asyncpg.connect(server.dsn("postgres"))
    try:
        for statement in statements:
            await administrator.execute(statement)
    finally:
        await administrator.close()


async def test_the_intake_has_nothing_run_as_the_owner_whatever_that_is_called(given: str) -> None:
    connection = await asyncpg.connect(given)
    rows = await connection.fetch(OF_THE_OWNER)
    await connection.close()
    assert {"forget_pod_owners", "forget_config_hashes", "audit_printed"} <= {row["proname"] for row in rows}
    assert [row["proname"] for row in rows if row["intake"] and not row["fires"]] == []


async def test_what_runs_as_the_owner_finds_no_temporary_table_before_ours(given: str) -> None:
    connection = await asyncpg.connect(given)
    rows = await connection.fetch(OF_THE_OWNER)
    await connection.close()
    assert len(rows) > 10
    assert {row["proname"]: row["path"] for row in rows if row["path"] != "public, pg_temp"} == {}


async def test_nobody_but_the_owner_makes_a_temporary_table(given: str) -> None:
    connection = await asyncpg.connect(given.replace("user=postgres", "user=remediator_intake"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("create temporary table pod_owners (pod text)")
    finally:
        await connection.close()
