"""A PostgreSQL of each version: the embedded one always, Debian's 15 in `make e2e`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediator.sandbox.postgres import PostgresServer
from remediator.settings.databases import ApplicationDatabase
from tests.support.busy_postgres import busy_server, dsn_of
from tests.support.looks import orders

VERSIONS = ["18", pytest.param("15", marks=pytest.mark.e2e)]


@pytest.fixture(scope="session", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Its database `orders` belongs to all tests: what one changes it puts back."""
    with busy_server(request.param) as running:
        yield running


@pytest.fixture
def looker(server: PostgresServer, tmp_path: Path) -> ApplicationDatabase:
    """`orders`, by a role with the grants of docs/operating.md."""
    return orders(tmp_path, dsn_of(server, "looker"))
