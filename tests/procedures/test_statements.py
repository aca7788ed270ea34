"""The statements of procedures do on a real PostgreSQL what their steps say, whatever the database is called."""

import asyncio
import json
import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from remediator.catalogue import PROCEDURES
from remediator.domain.handover import Handover, NotKnown, filled_in
from remediator.domain.run_view import RunView
from remediator.facts.sources import SOURCES
from remediator.sandbox.postgres import PostgresServer
from tests.procedures.test_procedures import AT
from tests.support.handed_over import ORDINARY
from tests.support.looks import TARGET, kit_with, orders
from tests.support.waiting import until

OWNER = "select datdba::regrole::text as owner from pg_database where datname = current_database()"
NAMES = ("orders", 'it\'s "quoted"', "back\\slash", "$(touch x); --", "Größe 7")


async def asked(server: PostgresServer, database: str, *statements: str) -> list[asyncpg.Record]:
    """What the last of them answers. asyncpg prepares each, which no text of two statements can be."""
    connection = await asyncpg.connect(server.dsn(database))
    try:
        found: list[asyncpg.Record] = []
        for sql in statements:
            found = await connection.fetch(sql)
        return found
    finally:
        await connection.close()


def statements(handover: Handover) -> list[tuple[str, ...]]:
    """Database and SQL of every psql of it that is given its statements, in order."""
    words = [shlex.split(line) for step in handover.steps for line in step.commands]
    told = [each[each.index("psql") :] for each in words if "psql" in each]
    return [
        (each[each.index("-d") + 1], *(after for word, after in pairwise(each) if word == "-c"))
        for each in told
        if "-c" in each
    ]


def handover(procedure: str, database: str, **known: str) -> Handover:
    facts: Mapping[str, str | NotKnown] = {
        **ORDINARY,
        "database.name": database,
        "database.restored": f"{database}_restored_12",
        "database.before": f"{database}_before_12",
        **known,
    }
    return filled_in(PROCEDURES[procedure], facts, AT)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("name", NAMES)
async def test_a_database_is_made_beside_the_old_one_and_takes_its_name(
    server: PostgresServer, name: str
) -> None:
    await asked(server, "postgres", f"create database {quoted(name)} owner looker")
    await asked(server, name, "create table alembic_version as select 'old' as version_num")
    holds_it_open = await asyncpg.connect(server.dsn(name))
    done = statements(handover("restore_database", name))
    assert done[0][0] == "postgres"
    for number, (database, *told) in enumerate(done):
        await asked(server, database, *told)
        if number == 0:
            made = "create table alembic_version as select 'restored' as version_num"
            await asked(server, f"{name}_restored_12", made)
    assert holds_it_open.is_closed() or not await alive(holds_it_open)
    for database, version in ((name, "restored"), (f"{name}_before_12", "old")):
        (row,) = await asked(server, database, "select version_num from alembic_version")
        assert row["version_num"] == version
        (row,) = await asked(
            server,
            database,
            "select datdba::regrole::text as owner from pg_database where datname = current_database()",
        )
        assert row["owner"] == "looker"
        await asked(server, "postgres", f"drop database {quoted(database)}")


async def alive(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    try:
        return await connection.fetchval("select true") is True
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False


async def test_damage_is_looked_for_and_indexes_are_rebuilt(server: PostgresServer) -> None:
    await asked(server, "postgres", 'create database "it\'s"')
    await asked(server, "it's", "create table t as select 1 as a")
    await asked(server, "it's", "create index t_a on t (a)")
    (before,) = await asked(server, "it's", "select pg_relation_filenode('t_a') as file")
    done = statements(handover("repair_database", "it's"))
    assert [sql.split()[0] for _, sql in done] == ["create", "select", "reindex"]
    for database, *told in done:
        await asked(server, database, *told)
    (after,) = await asked(server, "it's", "select pg_relation_filenode('t_a') as file")
    assert before["file"] != after["file"]


async def test_the_session_that_holds_up_others_is_ended_and_no_other(
    server: PostgresServer, tmp_path: Path
) -> None:
    await asked(server, "postgres", "create database busy")
    await asked(server, "busy", "create table t as select 1 as a")
    await asked(server, "busy", "grant pg_monitor to looker")
    dsn = server.dsn("busy").replace("user=postgres", "user=looker")
    kit = kit_with([orders(tmp_path, dsn)])
    run = RunView(run_id=1, rule="r", mode="act", target=TARGET, alert=None, created_at=kit.clock.now())
    holder, waiter = [await asyncpg.connect(server.dsn("busy")) for _ in range(2)]
    await holder.execute("begin")
    await holder.execute("update t set a = 2")
    waiting = asyncio.create_task(waiter.execute("update t set a = 3"))
    try:

        async def waits() -> bool:
            rows = await asked(
                server, "busy", "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
            )
            return bool(rows)

        await until(waits, "the second waits for the first", every=0.05)
        session = await SOURCES["blocker.session"](run, kit)
        assert await SOURCES["blocker.holds_up"](run, kit) == "1"
        earlier = session.replace("backend_start = '2", "backend_start = '1")
        for database, *told in statements(
            handover("terminate_backend", "busy", **{"blocker.session": earlier})
        ):
            await asked(server, database, *told)
        assert await alive(holder), "a session of another beginning was given the number"
        for database, *told in statements(
            handover("terminate_backend", "busy", **{"blocker.session": session})
        ):
            await asked(server, database, *told)
        await waiting
        assert not await alive(holder)
        assert await alive(waiter)
    finally:
        waiting.cancel()
        holder.terminate()
        await waiter.close()


def test_the_policy_that_isolates_is_one_that_kubernetes_takes() -> None:
    isolate = filled_in(PROCEDURES["isolate_workload"], ORDINARY, AT)
    (line,) = [each for step in isolate.steps for each in step.commands if each.startswith("printf")]
    policy = json.loads(shlex.split(line)[2])
    assert policy["metadata"] == {"name": "isolated-run-12", "namespace": "shop"}
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"app": "api", "tier": "web"}},
        "policyTypes": ["Ingress", "Egress"],
    }
