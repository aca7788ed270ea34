"""A look through PgBouncer in transaction mode is the same look."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from remediator.clients.databases import Databases
from remediator.diagnostics.pg_activity import PgActivity
from remediator.diagnostics.pg_connections import PgConnections
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.diagnostics.pg_ping import PgPing
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.sandbox.child_process import exited, spawn
from remediator.sandbox.postgres import PostgresServer
from tests.support.looks import look, orders
from tests.support.waiting import until

ROOTS = (Path("/"), Path(__file__).parents[3] / ".cache" / "debian")
CONFIG = """
[databases]
orders = host={socket} port=5432 dbname=orders
[pgbouncer]
pool_mode = transaction
default_pool_size = 2
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
"""

pytestmark = pytest.mark.e2e


@contextmanager
def pgbouncer(directory: Path, server: PostgresServer, port: int) -> Iterator[None]:
    """One that keeps two connections to the server."""
    program = next(
        (each / "usr/sbin/pgbouncer" for each in ROOTS if (each / "usr/sbin/pgbouncer").exists()), None
    )
    assert program is not None, "PgBouncer is neither installed nor fetched: run this with `make e2e`"
    (directory / "users").write_text('"looker" ""\n')
    socket_dir = parse_qs(urlsplit(server.dsn()).query)["host"][0]
    config = CONFIG.format(socket=socket_dir, port=port, users=directory / "users")
    (directory / "pgbouncer.ini").write_text(config)
    libraries = ":".join(str(each) for each in (program.parents[1] / "lib").glob("*-linux-gnu"))
    with (directory / "pgbouncer.log").open("wb") as log:
        process = spawn(
            [str(program), str(directory / "pgbouncer.ini")],
            output=log.fileno(),
            environment={**os.environ, "LD_LIBRARY_PATH": libraries},
        )
    try:
        yield
    finally:
        process.terminate()
        assert exited(process, within=10), "PgBouncer does not end"


async def test_looks_through_a_pooler_in_transaction_mode(server: PostgresServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = orders(tmp_path, f"postgresql://looker@127.0.0.1:{port}/orders?sslmode=disable")

    async def answers() -> bool:
        return bool((await look(PgPing(), [database])).details.get("answers"))

    with pgbouncer(tmp_path, server, port):
        await until(answers, "PgBouncer answers", seconds=30)
        steps = [PgPing(), PgConnections(), PgActivity(), PgSlowStatements(), PgDatabase(), PgIntegrity()]
        databases = Databases((database,))
        seen = await asyncio.gather(*(look(each, databases) for each in steps * 4))
    assert [each.summary for each in seen if each.failed] == []
