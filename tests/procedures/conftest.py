"""A PostgreSQL for applications, with a role that may only look."""

import asyncio
from collections.abc import Iterator

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.support.busy_postgres import execute
from tests.support.databases import private_postgres


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with private_postgres() as running:
        with asyncio.Runner() as runner:
            runner.run(execute(running.dsn("postgres"), "create role looker login"))
        yield running
