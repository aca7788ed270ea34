"""What is seen of a PostgreSQL under load, by a role that may only look."""

import asyncio
import json
import time
from pathlib import Path

import asyncpg
import pytest

from remediator.diagnostics.pg_activity import PgActivity
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_index_report import PgIndexReport
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.diagnostics.pg_ping import PgPing
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.domain.answers import Evidence
from remediator.sandbox.postgres import PostgresServer
from remediator.settings.databases import ApplicationDatabase
from remediator.step import DatabaseDiagnostic
from tests.bench.databases import LOOKS, MOST_BYTES
from tests.support.busy_postgres import dsn_of, execute, load
from tests.support.looks import look, orders


async def test_three_hundred_sessions_are_looked_at_within_deadline_and_budget(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    async with load(server) as made:
        top_pid, second_pid = await made.three_hundred()
        began = time.monotonic()
        seen = dict(zip(LOOKS, await asyncio.gather(*(look(each, [looker]) for each in LOOKS)), strict=True))
        seconds = time.monotonic() - began
    assert [each.summary for each in seen.values() if each.failed] == []
    assert seconds < min(each.deadline.total_seconds() for each in LOOKS)
    assert all(len(json.dumps(each.details)) < MOST_BYTES for each in seen.values())

    activity = seen[LOOKS[2]]
    assert "59 wait for locks, 59 of them for pid" in activity.summary
    assert f"pid {top_pid} (idle in transaction for " in activity.summary
    tree = activity.details["blocking"]
    assert tree[0].startswith(f"pid {top_pid} (idle in transaction")
    assert tree[1].startswith(f"  pid {second_pid} (active for")
    assert f" holds up 58 waits for {top_pid}: update orders set note = ? where id = ?" in tree[1]
    assert tree[2].startswith("    pid ")
    # Beside those 60 there may be three workers of autovacuum, and a connection that is just ending.
    assert 60 - 20 <= activity.details["left_out"] <= 64 - 20
    assert "hunter2" not in json.dumps(activity.details)
    assert "kim" not in json.dumps(activity.details)
    assert "secret" not in json.dumps(activity.details)

    connections = seen[LOOKS[1]]
    assert connections.details["states"]["idle"] == 240
    assert connections.details["states"]["idle in transaction"] == 1
    assert "of 400 connections taken" in connections.summary
    assert "longest idle in a transaction: " in connections.summary


async def test_a_long_statement_is_counted_and_shown_without_its_values(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    async with load(server) as made:
        connection = await made.connect("report")
        made.waiting.append(asyncio.create_task(connection.execute("select 'hunter2', pg_sleep(60)")))
        seen = await until_seen(PgActivity(longer_than="50ms"), looker, "statements for longer than 50ms: 1")  # type: ignore[arg-type]
    (row,) = [each for each in seen.details["active"] if each["application"] == "report"]
    assert row["query"] == "select ?, pg_sleep(?)"
    assert row["statement_seconds"] is not None


async def until_seen(step: DatabaseDiagnostic, database: ApplicationDatabase, said: str) -> Evidence:
    """The first look that says so."""
    async with asyncio.timeout(30):
        while True:
            seen = await look(step, [database])
            if said in seen.summary:
                return seen


async def test_a_ping_tells_version_and_role(server: PostgresServer, looker: ApplicationDatabase) -> None:
    seen = await look(PgPing(), [looker])
    assert seen.summary.startswith("orders: answers in ")
    assert ", primary, up for " in seen.summary
    assert seen.details["answers"] is True


async def test_the_statements_that_take_the_time_are_told_without_values(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    await execute(
        server.dsn("orders"), *["select count(*), 'hunter2' from orders where note like '%9%'"] * 20
    )
    total, mean = [await look(PgSlowStatements(by=by, most=50), [looker]) for by in ("total", "mean")]
    assert not total.failed
    (row,) = [each for each in total.details["statements"] if "note like" in each["query"]]
    assert row["calls"] >= 20
    assert row["cache_hits"] > 0
    assert [each["total_ms"] for each in total.details["statements"]] == sorted(
        (each["total_ms"] for each in total.details["statements"]), reverse=True
    )
    assert [each["mean_ms"] for each in mean.details["statements"]] == sorted(
        (each["mean_ms"] for each in mean.details["statements"]), reverse=True
    )
    assert total.details["since"] is not None
    assert "hunter2" not in json.dumps(total.details)


async def test_without_the_extension_that_is_said(server: PostgresServer, tmp_path: Path) -> None:
    elsewhere = orders(tmp_path, dsn_of(server, "looker").replace("/orders?", "/postgres?"))
    seen = await look(PgSlowStatements(), [elsewhere])
    assert seen.failed
    assert "pg_stat_statements is not installed" in seen.summary


async def test_size_dead_rows_and_deadlocks_are_told(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    await execute(server.dsn("orders"), "update orders set note = note", "select pg_stat_force_next_flush()")
    await deadlock(server)
    seen = await look(PgDatabase(), [looker])
    assert seen.details["size_bytes"] > 1_000_000
    assert seen.details["largest_tables"][0]["name"] == "public.orders"
    assert seen.details["largest_tables"][0]["bytes"] > 1_000_000
    assert seen.details["dead_rows"][0]["dead_rows"] >= 20_000
    assert "largest table public.orders (about " in seen.summary
    assert "deadlocks: 1" in seen.summary
    assert "dead rows in public.orders" in seen.summary


async def deadlock(server: PostgresServer) -> None:
    """Two sessions that wait for each other until the server ends one of them."""
    async with load(server) as made:
        one, other = await made.holds(11, "one"), await made.holds(12, "other")
        both = (
            one.execute("update orders set note = '' where id = 12"),
            other.execute("update orders set note = '' where id = 11"),
        )
        ended = await asyncio.gather(*both, return_exceptions=True)
        assert [type(each) for each in ended if isinstance(each, Exception)] == [
            asyncpg.DeadlockDetectedError
        ]


async def test_what_is_broken_or_left_behind_is_found(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    admin = server.dsn("orders")
    before = await look(PgIntegrity(), [looker])
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute(admin, "create unique index concurrently customers on orders (customer)")
    await execute(
        admin,
        "alter table logins add constraint of_a_tenant check (tenant > 0) not valid",
        "select pg_create_physical_replication_slot('forgotten', true)",
        "begin; insert into logins values ('x'); prepare transaction 'left'",
    )
    try:
        seen = await look(PgIntegrity(prepared_for="0s"), [looker])  # type: ignore[arg-type]
        report = await look(PgIndexReport(), [looker])
    finally:
        await execute(
            admin,
            "rollback prepared 'left'",
            "select pg_drop_replication_slot('forgotten')",
            "alter table logins drop constraint of_a_tenant",
            "drop index customers",
        )
    assert before.details["found"] == [
        "autovacuum is off",
        "fsync is off",
        "full_page_writes is off",
        "sequence public.events_id_seq has used 93% of its numbers (at 2000000000 of 2147483647)",
    ]
    new = [each for each in seen.details["found"] if each not in before.details["found"]]
    assert new[0] == "index customers on orders is invalid"
    assert new[1] == "constraint of_a_tenant on logins was never validated"
    assert new[2].startswith("transaction left of orders prepared ")
    assert new[3].startswith("replication slot forgotten (inactive, WAL ")
    assert len(new) == 4
    assert seen.details["ages"][0]["xids"] > 0
    assert report.details["invalid"][0]["name"] == "customers"
    assert report.summary.startswith("orders: invalid indexes: 1 (customers, ")


async def test_indexes_that_cost_more_than_they_give_are_found(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    admin = server.dsn("orders")
    key = "(select string_agg(md5(n + k / 1000.0 || ''), '') from generate_series(1, 40) k)"
    await execute(
        admin,
        "create table bloated (id int, key text)",
        "create index bloated_key on bloated (key)",
        f"insert into bloated select n, {key} from generate_series(1, 10000) n",
        "delete from bloated where id % 20 <> 0",
        "vacuum analyze bloated",
        *["select count(*) from orders where note = 'x'"] * 11,
        "select pg_stat_force_next_flush()",
    )
    try:
        blind = await look(PgIndexReport(), [looker])
        await execute(admin, "grant select on bloated to looker")
        seen = await look(PgIndexReport(), [looker])
    finally:
        await execute(admin, "drop table bloated")
    assert "(not seen: how bloated 1 indexes are: their tables may not be read" in blind.summary
    assert blind.details["bloated"] == []
    assert "orders_customer_again" in [each["name"] for each in seen.details["unused"]]
    assert "orders_pkey" not in [each["name"] for each in seen.details["unused"]]
    assert seen.details["duplicate"][0]["name"] == "orders_customer, orders_customer_again"
    (bloated,) = seen.details["bloated"]
    assert bloated["name"] == "bloated_key"
    assert bloated["needed"] * 2 < bloated["bytes"]
    assert "public.orders" in [each["name"] for each in seen.details["read_from_end_to_end"]]


async def test_a_table_that_is_locked_holds_up_no_look(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    async with load(server) as made:
        admin = await asyncpg.connect(server.dsn("orders"))
        made.sessions.append(admin)
        await admin.execute("begin; lock table orders in access exclusive mode")
        seen = await asyncio.gather(*(look(each, [looker]) for each in LOOKS))
    assert [each.summary for each in seen if each.failed] == []
    assert [each.details["unseen"] for each in seen if each.details["unseen"]] == []
