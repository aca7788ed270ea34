"""What every test may ask for: a database of its own, and time that it drives itself."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest

from remediator.sandbox.ports import reserved_port
from remediator.sandbox.postgres import PostgresServer
from remediator.store.database import Database, open_database
from tests.support.clock import DrivenClock
from tests.support.databases import Databases, private_postgres
from tests.support.proof_lines import proof  # noqa: F401 -- a fixture
from tests.support.session_plugins import pytest_configure  # noqa: F401 -- a hook


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server all tests of this process share. Whoever wants to stop one starts one of their own."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    """The migrated templates."""
    made = Databases(postgres)
    made.make_templates()
    return made


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own, whose `remediator_now()` only `clock` moves."""
    with databases.clone("driven") as dsn:
        yield dsn


@pytest.fixture
def real_time_database_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own with the real clock, for tests of whole processes."""
    with databases.clone("real") as dsn:
        yield dsn


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An opened pool on `database_url`."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock(database: Database) -> DrivenClock:
    """The time of this test and of its database."""
    return DrivenClock(database)


@pytest.fixture
def new_port() -> Iterator[Callable[[], int]]:
    """Ports for servers that the test starts later, each kept from everybody else until its end."""
    with ExitStack() as kept:
        yield lambda: kept.enter_context(reserved_port())
