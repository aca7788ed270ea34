"""One database server of an application for all digests."""

from collections.abc import Iterator

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.support.busy_postgres import busy_server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with busy_server("18") as running:
        yield running
