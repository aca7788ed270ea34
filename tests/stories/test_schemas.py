"""The version of an application's schema: remembered while the good version runs, and compared before a rollback."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from remediator.clients.schema_version import KNOWN_TABLES, SchemaVersion
from remediator.errors import Permanent, RemediatorError, Retryable
from remediator.sandbox.postgres import PostgresServer
from tests.support.clock import DrivenClock
from tests.support.databases import create_database, private_postgres
from tests.support.story import Story, told

APPLIED = "create table alembic_version (version_num text); insert into alembic_version values ('a1')"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with private_postgres() as running:
        yield running


@pytest.fixture
def orders(server: PostgresServer, request: pytest.FixtureRequest) -> str:
    """An empty database of an application."""
    return create_database(server, f"orders_{abs(hash(request.node.name))}")


async def execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock, orders: str) -> AsyncIterator[Story]:
    """Remembers the schema of `orders` for the one Deployment."""
    (tmp_path / "dsn").write_text(orders)
    entry = {"name": "orders", "dsn_file": tmp_path / "dsn", "targets": ["deployment/shop/api"]}
    async with told(tmp_path, database_url, clock, settings={"databases": [entry]}) as made:
        yield made


async def test_a_schema_that_stayed_as_it_was_stops_nothing(story: Story, orders: str) -> None:
    await execute(orders, APPLIED)
    await story.bad_release()
    await story.fire()
    assert story.effects() == ["app:v1"], (await story.run()).why


@pytest.mark.parametrize("when", ["before the rollout", "after it"])
async def test_a_schema_that_moved_asks(story: Story, orders: str, when: str) -> None:
    await execute(orders, APPLIED)
    await story.create("app:v1")
    await story.let(35 * 60, step=45)
    if when == "after it":
        story.release("app:v2")
        await story.let(2 * 60)
    await execute(orders, "update alembic_version set version_num = 'b2'")
    await story.let(60)
    if when == "before the rollout":
        story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    run = await story.run()
    assert run.state == "CLEARED"
    assert "the schema of orders is at alembic_version b2, and was at alembic_version a1 then" in (
        run.why or ""
    )
    assert story.effects() == []


async def test_a_schema_that_cannot_be_read_asks(story: Story, orders: str, tmp_path: Path) -> None:
    await execute(orders, APPLIED)
    await story.bad_release()
    (tmp_path / "dsn").write_text("postgresql://nobody:s3cret@127.0.0.1:1/orders")
    await story.fire()
    run = await story.run()
    assert run.state == "CLEARED"
    assert "its schema cannot be read (database orders does not answer: " in (run.why or "")
    assert "s3cret" not in (run.why or "")


TABLES = {
    "alembic_version": ("version_num text", "('b2'), ('a1')", "a1,b2"),
    "flyway_schema_history": (
        "installed_rank int, version text, description text, success bool",
        "(1, '1.0', 'a', true), (2, '1.1', 'b', true), (3, '1.2', 'c', false)",
        "1.1",
    ),
    "schema_migrations": ("version bigint, dirty bool", "(20260101, false)", "20260101"),
    "django_migrations": (
        "id int, app text, name text",
        "(1, 'shop', '0001'), (2, 'shop', '0002')",
        "shop.0002",
    ),
    "goose_db_version": ("id int, version_id int, is_applied bool", "(1, 0, true), (2, 7, true)", "7"),
}


@pytest.fixture
def schema(tmp_path: Path, orders: str) -> Callable[..., SchemaVersion]:
    (tmp_path / "dsn").write_text(f"{orders}\n")
    return lambda query=None: SchemaVersion("orders", tmp_path / "dsn", frozenset(), query)


@pytest.mark.parametrize("table", KNOWN_TABLES)
async def test_each_tools_table_tells_its_version(
    schema: Callable[..., SchemaVersion], orders: str, table: str
) -> None:
    columns, rows, version = TABLES[table]
    await execute(orders, f"create table {table} ({columns}); insert into {table} values {rows}")
    assert await schema().head() == f"{table} {version}"


async def test_a_database_without_such_a_table_needs_a_query(
    schema: Callable[..., SchemaVersion], orders: str
) -> None:
    with pytest.raises(Permanent, match="give version_query"):
        await schema().head()
    assert await schema("select 42").head() == "42"
    with pytest.raises(Permanent, match="answers nothing"):
        await schema("select null").head()


@pytest.mark.parametrize(
    ("query", "raised"),
    [("create table x (a int)", Permanent), ("select pg_sleep(60)", Retryable), ("selec", Permanent)],
)
async def test_nothing_is_written_and_nothing_lasts(
    schema: Callable[..., SchemaVersion], query: str, raised: type[RemediatorError]
) -> None:
    with pytest.raises(raised, match="database orders: "):
        await schema(query).head()
