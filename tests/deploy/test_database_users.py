"""The SQL in docs/operating.md does what it says: two users, and a sequence moved."""

import re
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from remediator.domain.run_view import TriggerAlert
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.run import State
from remediator.sandbox.postgres import PostgresServer
from remediator.store import (
    audit,
    audit_verify,
    config_hashes,
    incidents,
    interventions,
    journal,
    migrate,
    pod_owners,
    rule_modes,
    runs,
)
from remediator.store.database import Database, open_database
from tests.deploy.manifests import ROOT
from tests.support.clock import START
from tests.support.databases import private_postgres

OPERATING = (ROOT / "docs" / "operating.md").read_text()
USERS, GRANTS, MOVE, _LOOK = re.findall(r"^```sql\n(.*?)^```$", OPERATING, re.DOTALL | re.MULTILINE)

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
    for database, statements in (("postgres", USERS), ("remediator", GRANTS)):
        administrator = await asyncpg.connect(server.dsn(database))
        try:
            for statement in statements.strip().split("\n"):
                await administrator.execute(statement)
        finally:
            await administrator.close()
    assert await migrate.migrate(url(server, "remediator_owner"))
    assert await migrate.pending(url(server, "remediator")) == []
    opened = await open_database(url(server, "remediator"))
    yield opened
    await opened.close()
    administrator = await asyncpg.connect(server.dsn("postgres"))
    try:
        await administrator.execute("drop database remediator with (force)")
        await administrator.execute("drop role remediator")
        await administrator.execute("drop role remediator_owner")
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
            connection, subject="s", title="t", cluster="default", target=TARGET, severity=""
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
                 and relname not in ('audit', 'audit_heads')
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
