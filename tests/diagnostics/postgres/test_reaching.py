"""A database that cannot be looked into, or only in part, says so, and never holds up the run."""

import asyncio
import re
import socket
import time
from pathlib import Path

import asyncpg
import pytest

from remediator.clients.databases import Databases
from remediator.diagnostics.pg_activity import PgActivity
from remediator.diagnostics.pg_connections import PgConnections
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_index_report import PgIndexReport
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.diagnostics.pg_ping import PgPing
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.diagnostics.schema_version import SchemaVersion
from remediator.diagnostics.sql_query import SqlQuery
from remediator.domain.history import Tenure
from remediator.domain.target import Target
from remediator.sandbox.postgres import PostgresServer
from remediator.settings.databases import ApplicationDatabase, NamedQuery
from remediator.step import DatabaseDiagnostic
from tests.support.busy_postgres import dsn_of, execute, load
from tests.support.looks import look, orders
from tests.support.waiting import until

OPERATING = Path(__file__).parents[3] / "docs" / "operating.md"


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ("postgres", "the role postgres is a superuser, and this daemon only looks"),
        ("chief", "the role chief is a superuser"),
        ("writer", "the role writer may write to orders"),
        ("shop", "the role shop may write to "),
        ("killer", "the role killer is a member of pg_signal_backend"),
    ],
)
@pytest.mark.parametrize("step", [PgPing(), PgActivity()], ids=lambda step: step.key())
async def test_a_role_that_may_do_more_than_look_is_not_used(
    server: PostgresServer, tmp_path: Path, role: str, why: str, step: DatabaseDiagnostic
) -> None:
    seen = await look(step, [orders(tmp_path, dsn_of(server, role))])
    assert seen.failed
    assert f"database orders is not looked into: {why}" in seen.summary
    assert "answers" not in seen.details


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            ["create view open_orders as select * from orders", "grant insert on open_orders to blind"],
            "the role blind may write to open_orders",
        ),
        (
            ["create view counted as select count(*) from orders", "grant insert on counted to blind"],
            None,
        ),
        (
            [
                "create foreign data wrapper far",
                "create server far foreign data wrapper far",
                "create foreign table far_orders (id int) server far",
                "grant update on far_orders to blind",
            ],
            "the role blind may write to far_orders",
        ),
        (
            ["alter role blind noinherit", "grant writer to blind"],
            "the role blind may become writer, which may write to orders",
        ),
    ],
)
async def test_a_right_that_is_reached_another_way_counts_too(
    server: PostgresServer, tmp_path: Path, given: list[str], why: str | None
) -> None:
    await execute(server.dsn("orders"), *given)
    try:
        seen = await look(PgPing(), [orders(tmp_path, dsn_of(server, "blind"))])
    finally:
        await execute(
            server.dsn("orders"),
            "drop view if exists open_orders, counted",
            "drop foreign data wrapper if exists far cascade",
            "alter role blind inherit",
            "revoke writer from blind",
        )
    assert seen.failed is (why is not None), seen.summary
    assert why is None or why in seen.summary


@pytest.mark.parametrize(
    ("step", "unseen"),
    [
        (PgPing(), None),
        (PgConnections(), "the states of other roles' connections: grant pg_monitor"),
        (PgActivity(), "what [1-9][0-9]* sessions of other roles do: grant pg_monitor"),
        (PgSlowStatements(), "statements of other roles: grant pg_monitor"),
        (PgDatabase(), None),
        (PgIntegrity(), "how far 1 sequences are: grant select on them"),
        (PgIndexReport(), None),
    ],
    ids=lambda each: each.key() if isinstance(each, DatabaseDiagnostic) else "",
)
async def test_what_a_missing_right_hides_is_said(
    server: PostgresServer, tmp_path: Path, step: DatabaseDiagnostic, unseen: str | None
) -> None:
    blind = orders(tmp_path, dsn_of(server, "blind"))
    async with load(server) as made:
        await made.holds(1, "importer")
        seen = await look(step, [blind])
    assert not seen.failed, seen.summary
    if unseen is not None:
        assert any(re.fullmatch(unseen, each) for each in seen.details["unseen"])
        assert re.search(f"not seen: {unseen}", seen.summary)
    if isinstance(step, PgConnections):
        assert seen.details["states"]["unknown"] >= 1


async def test_the_documented_grants_show_everything_but_bloat(
    server: PostgresServer, tmp_path: Path
) -> None:
    grants = re.findall(r"^```sql\n(.*?)^```$", OPERATING.read_text(), re.DOTALL | re.MULTILINE)[-1]
    await execute(server.dsn("orders"), grants)
    steps = (PgPing(), PgConnections(), PgActivity(), PgSlowStatements(), PgDatabase(), PgIntegrity())
    documented = [orders(tmp_path, dsn_of(server, "remediator_look"))]
    try:
        seen = [await look(each, documented) for each in (*steps, PgIndexReport())]
        head = await look(SchemaVersion(), documented, history=NoHistory())
    finally:
        await execute(server.dsn("orders"), "drop owned by remediator_look", "drop role remediator_look")
    assert [each.summary for each in seen if each.failed] == []
    assert [each.details["unseen"] for each in seen[:-1]] == [[]] * len(steps)
    assert head.summary == "orders: schema at alembic_version b2"


class NoHistory:
    """What is remembered of a target that was never seen."""

    async def tenures(self, target: Target) -> list[Tenure]:
        return []


async def test_a_database_that_is_down_is_what_a_ping_sees(tmp_path: Path) -> None:
    down = orders(tmp_path, "postgresql://looker:s3cret@127.0.0.1:1/orders")
    seen = await look(PgPing(), [down])
    assert not seen.failed
    assert seen.summary.startswith("database orders does not answer: ")
    assert seen.details == {"answers": False}
    other = await look(PgActivity(), [down])
    assert other.failed
    assert other.summary.startswith("pg_activity: database orders does not answer: ")
    assert "s3cret" not in seen.summary + other.summary


async def test_a_server_that_is_full_is_what_a_ping_sees(server: PostgresServer, tmp_path: Path) -> None:
    await execute(server.dsn("orders"), "alter role looker connection limit 0")
    try:
        seen = await look(PgPing(), [orders(tmp_path, dsn_of(server, "looker"))])
    finally:
        await execute(server.dsn("orders"), "alter role looker connection limit -1")
    assert seen.summary == 'database orders does not answer: too many connections for role "looker"'


@pytest.mark.parametrize(
    ("dsn", "why"),
    [
        ("", "holds no address postgresql://..."),
        ("mysql://root:s3cret@db/orders", "holds no address postgresql://..."),
        ("postgresql://x:s3cret@127.0.0.1:port/orders", "holds no address postgresql://..."),
    ],
)
async def test_an_address_that_is_none_is_not_shown(tmp_path: Path, dsn: str, why: str) -> None:
    seen = await look(PgPing(), [orders(tmp_path, dsn)])
    assert seen.failed
    assert seen.summary.endswith(why)
    assert "s3cret" not in seen.summary


async def test_a_role_or_database_that_is_not_there_is_told(server: PostgresServer, tmp_path: Path) -> None:
    seen = await look(PgPing(), [orders(tmp_path, dsn_of(server, "nobody"))])
    assert seen.summary == 'pg_ping: database orders does not let us in: role "nobody" does not exist'
    (tmp_path / "dsn").unlink()
    gone = orders(tmp_path, "x").model_copy(update={"dsn_file": tmp_path / "gone"})
    assert "gone cannot be read: No such file or directory" in (await look(PgPing(), [gone])).summary


async def test_a_port_that_is_silent_is_given_up_within_the_deadline(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dsn = f"postgresql://looker:s3cret@127.0.0.1:{listener.getsockname()[1]}/orders?sslmode=disable"
        seen = await look(PgPing(), [orders(tmp_path, dsn)])
        with listener.accept()[0] as accepted:
            sent = accepted.recv(4096)
    assert seen.summary == "database orders does not answer: nothing within 4 s"
    # A pooler refuses a connection that begins with settings it does not know.
    names = sent[8:].rstrip(b"\0").split(b"\0")[::2]
    assert sorted(names) == [b"application_name", b"client_encoding", b"database", b"user"]


async def test_the_database_of_the_target_is_meant_where_none_is_named(
    looker: ApplicationDatabase, tmp_path: Path
) -> None:
    other = Target(cluster="default", kind="statefulset", namespace="shop", name="postgresql")
    assert (
        "no database in remediator.yml has statefulset/shop/postgresql as its server or among its targets"
        in ((await look(PgPing(), [looker], target=other)).summary)
    )
    served = looker.model_copy(update={"server": str(other)})
    assert (await look(PgPing(), [served], target=other)).details["answers"]
    second = looker.model_copy(update={"name": "stock"})
    both = await look(PgPing(), [looker, second])
    assert both.summary.endswith("has several databases, and the rule names none: orders, stock")
    assert (await look(PgPing(database="stock"), [looker, second])).details["database"] == "stock"
    missing = await look(PgPing(database="stok"), [looker])
    assert missing.summary.endswith("there is no database stok under databases in remediator.yml")


async def test_a_look_leaves_no_session_and_no_lock_behind(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    await asyncio.gather(*(look(PgIndexReport(), [looker]) for _ in range(5)))
    connection = await asyncpg.connect(server.dsn("orders"))
    ours = "select count(*) from pg_stat_activity where application_name = 'remediator'"

    async def all_are_gone() -> bool:
        return not await connection.fetchval(ours)

    try:
        await until(all_are_gone, "the sessions of looks are gone", seconds=10)
    finally:
        await connection.close()


async def test_a_run_with_many_looks_does_not_fill_the_server(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    databases = Databases((looker,))
    await execute(server.dsn("orders"), "alter role looker connection limit 8")
    try:
        seen = await asyncio.gather(*(look(PgPing(), databases) for _ in range(24)))
    finally:
        await execute(server.dsn("orders"), "alter role looker connection limit -1")
    assert [each.summary for each in seen if not each.details.get("answers")] == []


async def test_a_look_that_is_cut_off_leaves_no_query_running(
    server: PostgresServer, looker: ApplicationDatabase
) -> None:
    slow = NamedQuery(name="slow", sql="select pg_sleep(60)")
    database = looker.model_copy(update={"queries": (slow,)})
    looking = asyncio.create_task(look(SqlQuery(query="slow"), [database]))
    admin = await asyncpg.connect(server.dsn("orders"))
    running = (
        "select 1 from pg_stat_activity where application_name = 'remediator' and wait_event = 'PgSleep'"
    )

    async def runs() -> bool:
        return bool(await admin.fetchval(running))

    async def runs_no_more() -> bool:
        return not await admin.fetchval(running)

    try:
        await until(runs, "the query runs", every=0.05)
        looking.cancel()
        began = time.monotonic()
        await until(runs_no_more, "the query was cancelled", every=0.05)
        assert time.monotonic() - began < 4, "it ended by the statement timeout, not by being cancelled"
        with pytest.raises(asyncio.CancelledError):
            await looking
    finally:
        await admin.close()
