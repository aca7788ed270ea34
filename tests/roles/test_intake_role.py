"""A process of role intake: it takes alerts with a database user who may do nothing else, and knows no cluster."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from remediator.errors import Permanent
from remediator.intake_app import running_intake
from remediator.sandbox.postgres import PostgresServer
from remediator.settings.load import Settings, load_settings
from remediator.store import grants, migrate
from tests.support.alerts import alert, labelled, message
from tests.support.databases import private_postgres
from tests.support.web import INTAKE, TOKEN, Answer, bearer, token_file


def url(server: PostgresServer, user: str) -> str:
    return server.dsn("remediator").replace("user=postgres", f"user={user}")


async def run_as(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with private_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def installed(server: PostgresServer) -> str:
    """The database as docs/security.md grants it, for its intake user."""
    asyncio.run(install(server))
    return url(server, "remediator_intake")


async def install(server: PostgresServer) -> None:
    await run_as(
        server.dsn("postgres"),
        "create role remediator_owner login",
        "create role remediator login",
        "create role remediator_intake login",
        "create database remediator owner remediator_owner",
    )
    assert await migrate.migrate(url(server, "remediator_owner"))
    await grants.grant(url(server, "remediator_owner"))


@pytest.fixture
async def intake(installed: str, tmp_path: Path) -> AsyncIterator[str]:
    """A process of role intake. Of a cluster, rules and people it has only settings that lead nowhere."""
    settings = {
        "role": "intake",
        "database_url": installed,
        "listen_address": "127.0.0.1:0",
        "intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)},
        "kubernetes": {"kubeconfig": tmp_path / "nothing-is-here"},
        "rules": [tmp_path / "nor-here"],
        "people": [{"name": "kim", "token_file": tmp_path / "and-not-here"}],
    }
    async with running_intake(Settings.model_validate(settings)) as address:
        yield address


async def ask(method: str, address: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, address, json=body, headers=headers) as answer,
    ):
        return Answer(answer.status, answer.headers, await answer.read())


async def test_it_stores_what_alertmanager_sends_and_notes_a_repeat(
    intake: str, server: PostgresServer
) -> None:
    body = message(alert(), labelled(alertname="Another"))
    for sent in (body, body):
        answer = await ask("POST", intake + INTAKE, sent, bearer(TOKEN))
        assert (answer.status, answer.json["alerts"]) == (200, 2)
    owner = await asyncpg.connect(url(server, "remediator_owner"))
    try:
        assert await owner.fetchval("select array_agg(deliveries) from notices") == [2, 2]
    finally:
        await owner.close()


async def test_it_sets_aside_what_cannot_be_read_and_notes_what_was_cut(
    intake: str, server: PostgresServer
) -> None:
    odd = alert(startsAt="yesterday")
    for _ in range(2):
        answer = await ask("POST", intake + INTAKE, {**message(odd), "truncatedAlerts": 3}, bearer(TOKEN))
        assert (answer.status, answer.json["quarantined"]) == (200, 1)
    owner = await asyncpg.connect(url(server, "remediator_owner"))
    try:
        assert await owner.fetchval("select count(*) from quarantine") == 2
        assert await owner.fetchval("select count(*) from backfills") == 1
    finally:
        await owner.close()


async def test_it_is_ready_and_never_ready_to_act_and_tells_its_metrics(intake: str) -> None:
    assert (await ask("GET", intake + "/-/healthy")).status == 200
    assert (await ask("GET", intake + "/-/ready")).status == 200
    acting = await ask("GET", intake + "/-/ready/act")
    assert (acting.status, acting.json["error"]) == (
        503,
        "this process has the role intake: it stores alerts, and the executor acts",
    )
    assert b"remediator_webhook_requests_total" in (await ask("GET", intake + "/metrics")).body


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/incidents", "/api/v1/pauses", "/api/v1/rules"])
async def test_it_answers_no_people(intake: str, path: str) -> None:
    assert (await ask("GET", intake + path, None, bearer(TOKEN))).status == 404
    assert (await ask("POST", intake + path, {}, bearer(TOKEN))).status == 404
    assert (await ask("POST", intake + "/-/reload", {}, bearer(TOKEN))).status == 404


async def test_it_is_not_ready_on_a_database_that_lacks_a_migration(
    intake: str, server: PostgresServer
) -> None:
    newest = migrate.migrations()[-1]
    await run_as(url(server, "remediator_owner"), f"delete from migrations where number = {newest.number}")
    answer = await ask("GET", intake + "/-/ready")
    assert (answer.status, newest.name in answer.json["error"]) == (503, True)
    back = f"insert into migrations values ({newest.number}, '{newest.name}', '{newest.sha256}', now())"
    await run_as(url(server, "remediator_owner"), back)
    assert (await ask("GET", intake + "/-/ready")).status == 200


async def test_its_database_user_may_write_notices_and_read_nothing_that_was_decided(installed: str) -> None:
    connection = await asyncpg.connect(installed)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations'"
        )
        assert len(tables) > 20
        for (table,) in tables:
            for statement in (
                f"select * from {table}",
                f"delete from {table}",
                f"truncate {table}",
                f"create index on {table} ((1))",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        for statement in (
            "select labels from notices",
            "update notices set labels = '{}'",
            "update notices set disposition = 'planned'",
            "update backfills set done_at = now()",
            "insert into journal (kind, text) values ('state', 'RESOLVED')",
            "insert into migrations values (99, 'x', 'y', now())",
            "update runs set state = 'APPROVED'",
            "insert into pauses default values",
            "update pauses set cleared_at = now()",
            "select nextval('epochs')",
            "create table mine (id integer)",
            "set role remediator_owner",
            "select forget_incidents('0s', '0s', 10)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        functions = await connection.fetch(
            """select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
               and has_function_privilege(oid, 'execute')"""
        )
        assert [name for (name,) in functions] == []
    finally:
        await connection.close()


def test_alerts_from_anybody_are_refused_where_the_executor_could_not_know_of_it(tmp_path: Path) -> None:
    config = tmp_path / "remediator.yml"
    config.write_text("intake: {insecure: true}")
    assert load_settings(config, {"role": "all"}, {}).effective_ceiling == "shadow"
    with pytest.raises(Permanent, match=r"intake\.insecure is only for role all"):
        load_settings(config, {"role": "intake"}, {})


@pytest.mark.parametrize("role", ["all", "intake", "executor"])
def test_a_role_is_set_by_flag_or_environment(role: str) -> None:
    assert load_settings(None, {"role": role}, {}).role == role
    assert load_settings(None, {}, {"REMEDIATOR_ROLE": role}).role == role
