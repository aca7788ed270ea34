"""deploy/database and `migrate` make three users, each with what it needs; docs/operating.md moves a sequence."""

import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from remediator.domain.run_view import TriggerAlert
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.run import State
from remediator.sandbox.postgres import PostgresServer, default_bin_dirs, find_bin_dir
from remediator.store import (
    audit,
    audit_verify,
    config_hashes,
    grants,
    incidents,
    interventions,
    journal,
    migrate,
    notices,
    pod_owners,
    rule_modes,
    runs,
)
from remediator.store.database import Database, open_database
from tests.deploy.manifests import DEPLOY, ROOT
from tests.support.clock import START
from tests.support.databases import private_postgres

OPERATING = (ROOT / "docs" / "operating.md").read_text()
MOVE, _LOOK = re.findall(r"^```sql\n(.*?)^```$", OPERATING, re.DOTALL | re.MULTILINE)
USERS = re.findall(r"^[a-z].*;$", (DEPLOY / "database" / "users.sql").read_text(), re.MULTILINE)

PROGRAMS = find_bin_dir(default_bin_dirs())

TARGET = Target(cluster="default", kind="deployment", namespace="shop", name="checkout")


def url(server: PostgresServer, user: str) -> str:
    return server.dsn("remediator").replace("user=postgres", f"user={user}")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with private_postgres() as running:
        yield running


@pytest.fixture
async def installed(server: PostgresServer) -> AsyncIterator[Database]:
    """The database as the guide sets it up, opened by the daemon's own user."""
    administrator = await asyncpg.connect(server.dsn("postgres"))
    try:
        for statement in USERS:
            await administrator.execute(statement)
    finally:
        await administrator.close()
    owner = url(server, "remediator_owner")
    assert await migrate.migrate(owner)
    assert await grants.grant(owner) == ["remediator", "remediator_intake"]
    assert await migrate.pending(url(server, "remediator")) == []
    opened = await open_database(url(server, "remediator"))
    yield opened
    await opened.close()
    administrator = await asyncpg.connect(server.dsn("postgres"))
    try:
        await administrator.execute("drop database remediator with (force)")
        for role in ("remediator", "remediator_intake", "remediator_owner"):
            await administrator.execute(f"drop role {role}")
    finally:
        await administrator.close()


async def stuck_run(database: Database) -> int:
    """A run whose outcome nobody knows."""
    alert = TriggerAlert(
        source="alertmanager", fingerprint="0", labels={}, annotations={}, starts_at=START, received_at=START
    )
    rule = Rule(rule="bad-release", match=('{alertname="Slow"}',), mode="act")
    async with database.transaction() as connection:
        incident_id, _ = await incidents.attach(
            connection, subject="s", title="t", cluster="default", target=TARGET, severity=None
        )
        run_id = await runs.create(
            connection,
            incident_id=incident_id,
            rule=rule,
            mode="act",
            target=TARGET,
            trigger=alert,
            depends_on=(),
        )
        await connection.execute(
            "update runs set state = 'UNKNOWN', ended_at = remediator_now() where id = $1", run_id
        )
    return run_id


async def test_the_daemon_may_use_every_table_and_make_none(installed: Database) -> None:
    async with installed.connection() as connection:
        forbidden = await connection.fetch(
            """select relname from pg_class
               where relnamespace = 'public'::regnamespace and relkind = 'r'
                 and relname not in ('audit', 'audit_heads', 'migrations')
                 and not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
                          and has_table_privilege(oid, 'update'))"""
        )
        assert forbidden == []
        assert await connection.fetchval("select nextval('epochs')") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("create table mine (id integer)")
        for table in ("journal", "pod_owners", "config_hashes"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"delete from {table}")


async def test_the_ledger_of_migrations_is_the_owners(installed: Database) -> None:
    for statement in ("update migrations set sha256 = ''", "insert into migrations values (9999, '', '')"):
        async with installed.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_granting_again_changes_nothing(installed: Database, server: PostgresServer) -> None:
    async def held() -> list[asyncpg.Record]:
        async with installed.connection() as connection:
            return await connection.fetch(
                """select oid::regclass::text, relacl::text from pg_class where relnamespace = 'public'::regnamespace
                   union all select oid::regprocedure::text, proacl::text from pg_proc
                   where pronamespace = 'public'::regnamespace
                   union all select attrelid::regclass || '.' || attname, attacl::text from pg_attribute
                   where attacl is not null order by 1"""
            )

    before = await held()
    await grants.grant(url(server, "remediator_owner"))
    assert await held() == before


async def test_the_intake_stores_alerts_and_reads_nothing_that_was_decided(
    installed: Database, server: PostgresServer
) -> None:
    alert = notices.IncomingAlert("ab" * 32, "0", "firing", {}, {}, START.isoformat(), None, "")
    cut = notices.TruncatedGroup("{}", {}, 3)
    intake = await open_database(url(server, "remediator_intake"))
    try:
        for expected in (notices.Stored(1, 0), notices.Stored(0, 1)):
            async with intake.transaction() as connection:
                odd = notices.Quarantined("odd", "{}")
                assert await notices.store(connection, "a", [alert], [odd], [cut]) == expected
        readable = await readable_by_intake(intake)
        assert readable == {
            "backfills": ["done_at", "group_key", "source", "tries"],
            "migrations": ["applied_at", "name", "number", "sha256"],
            "notices": ["deliveries", "delivery_key", "last_received_at"],
        }
        for statement in (
            "select labels from notices",
            "select * from journal",
            "select * from audit",
            "select * from runs",
            "update notices set labels = '{}'",
            "update runs set state = 'RESOLVED'",
            "insert into journal default values",
            "insert into pauses default values",
            "delete from notices",
            "truncate notices",
            "select nextval('epochs')",
            "create table mine (id integer)",
            "create temporary table mine (id integer)",
            "select forget_received(10, interval '30 days')",
            "select audit_append('daemon', 'pause', 'pause/1', '{}')",
        ):
            async with intake.connection() as connection:
                with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError)):
                    await connection.execute(statement)
    finally:
        await intake.close()


async def readable_by_intake(intake: Database) -> dict[str, list[str]]:
    """Every column it may read, by table."""
    async with intake.connection() as connection:
        rows = await connection.fetch(
            """select c.relname, array_agg(a.attname::text order by a.attname) as columns
               from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'p')
                 and has_column_privilege(c.oid, a.attnum, 'select') group by 1"""
        )
    return {row["relname"]: row["columns"] for row in rows}


async def test_nobody_but_the_executor_lets_go_of_anything_in_the_owners_name(installed: Database) -> None:
    async with installed.connection() as connection:
        rows = await connection.fetch(
            """select proname, has_function_privilege('remediator_intake', oid, 'execute') as intake
               from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
                 and prorettype <> 'trigger'::regtype"""
        )
    assert len(rows) > 5
    assert not [row["proname"] for row in rows if row["intake"]]


async def test_the_daemon_adds_to_the_audit_by_what_it_does_and_in_no_other_way(installed: Database) -> None:
    run_id = await stuck_run(installed)
    async with installed.transaction() as connection:
        assert await interventions.settle(connection, run_id, True, "kim", "its annotation says so") is None
    async with installed.transaction() as connection:
        records = [each async for each in audit.exported(connection, 0)]
        assert [each.kind for each in records][-1] == "ended"
        await audit.printed(connection, records)
        assert await audit.unprinted(connection, 10) == []
    assert await verified(installed) == ()
    for statement in (
        "insert into audit_heads values ('daemon', 1, '')",
        "insert into audit (chain, place) values ('daemon', 9)",
        "update audit set record = ''",
        "delete from audit",
        "truncate audit",
        "update audit_heads set place = 0",
        "delete from audit_heads",
        "select audit_append('daemon', 'pause', 'pause/1', '{}')",
        "alter table audit disable trigger all",
        "drop trigger audit_intents on attempts",
        "set session_replication_role = replica",
    ):
        async with installed.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def verified(database: Database) -> tuple[object, ...]:
    async with database.transaction() as connection:
        return (await audit_verify.verify(connection, {})).breaks


async def test_the_daemon_may_let_go_of_what_it_told_of_rules(installed: Database) -> None:
    async with installed.transaction() as connection:
        await rule_modes.forget(connection, ["gone"])


def test_no_statement_of_the_daemon_deletes() -> None:
    """Its user may not: what it lets go of goes by functions of the owner's."""
    statements = [
        path for path in (ROOT / "remediator").rglob("*.py") if "delete from" in path.read_text().lower()
    ]
    assert statements == []


async def test_the_daemon_may_forget_what_is_too_old_to_be_of_use(installed: Database) -> None:
    old, young = "remediator_now() - interval '31 days'", "remediator_now() - interval '1 day'"
    async with installed.connection() as connection:
        for name, at in (("old", old), ("young", young)):
            await connection.execute(
                f"""insert into pod_owners (cluster, namespace, pod, pod_uid, kind, name, uid, last_seen_at)
                    values ('here', 'shop', '{name}', '1', 'job', 'tidy', '2', {at})"""
            )
            await connection.execute(
                f"""insert into config_hashes (cluster, namespace, name, hash, ended_at)
                    values ('here', 'shop', '{name}', 'a', {at})"""
            )
        assert await pod_owners.forget(connection, 10) == 1
        assert await config_hashes.forget(connection, 10) == 1
        assert await connection.fetchval("select string_agg(pod, ',') from pod_owners") == "young"
        assert await connection.fetchval("select string_agg(name, ',') from config_hashes") == "young"


async def test_the_daemon_may_settle_a_run_and_ask_what_undid_it(installed: Database) -> None:
    run_id = await stuck_run(installed)
    async with installed.transaction() as connection:
        last = await runs.last_on(connection, TARGET)
        assert last is not None
        assert last.holds
        assert await interventions.settle(connection, run_id, True, "kim", "its annotation says so") is None
        assert await interventions.undone_by(connection, run_id) is None
        last = await runs.last_on(connection, TARGET)
        assert last is not None
        assert (last.holds, last.state) == (False, State.ESCALATED)
        lines = await journal.of_run(connection, run_id)
        assert [line.text for line in lines] == [
            "ESCALATED: settled: kim says that it was made: its annotation says so"
        ]


async def test_a_backup_is_restored_by_the_owner_and_granted_anew(
    installed: Database, server: PostgresServer, tmp_path: Path
) -> None:
    """The commands of the guide, into a database that is empty."""
    await stuck_run(installed)
    owner, copy = (
        server.dsn(name).replace("user=postgres", "user=remediator_owner") for name in ("remediator", "copy")
    )
    run_tool("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", owner)
    administrator = await asyncpg.connect(server.dsn("postgres"))
    try:
        await administrator.execute("create database copy owner remediator_owner")
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges")
        run_tool("pg_restore", *options, "--dbname", copy, str(tmp_path / "dump"))
        assert await migrate.migrate(copy) == []
        assert await grants.grant(copy) == ["remediator", "remediator_intake"]
        restored = await open_database(server.dsn("copy").replace("user=postgres", "user=remediator"))
        try:
            async with restored.transaction() as connection:
                last = await runs.last_on(connection, TARGET)
                assert last is not None
                assert last.state == State.UNKNOWN
                assert await interventions.settle(connection, last.id, True, "kim", "seen") is None
            assert await verified(restored) == ()
        finally:
            await restored.close()
    finally:
        await administrator.execute("drop database if exists copy with (force)")
        await administrator.close()


def run_tool(name: str, *arguments: str) -> None:
    """One of PostgreSQL's programs, as the guide calls it."""
    assert name in OPERATING
    assert all(each in OPERATING for each in arguments if each.startswith("--") and "=" not in each)
    done = subprocess.run([PROGRAMS / name, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


async def test_after_a_restore_epochs_go_on_above_the_highest_in_the_cluster(
    installed: Database, server: PostgresServer
) -> None:
    owner = await asyncpg.connect(url(server, "remediator_owner"))
    try:
        await owner.execute(MOVE)
    finally:
        await owner.close()
    async with installed.connection() as connection:
        assert await connection.fetchval("select nextval('epochs')") == 123457
