"""What looking into a PostgreSQL of 300 sessions takes, 60 of them in each other's way, beside the deadline."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from remediator.clients.databases import Databases
from remediator.diagnostics.pg_activity import PgActivity
from remediator.diagnostics.pg_connections import PgConnections
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_index_report import PgIndexReport
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.diagnostics.pg_ping import PgPing
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.sandbox.postgres import PostgresServer
from remediator.step import DatabaseDiagnostic
from tests.support.busy_postgres import busy_server, dsn_of, execute, load
from tests.support.looks import look, orders

LOOKS: tuple[DatabaseDiagnostic, ...] = (
    PgPing(),
    PgConnections(),
    PgActivity(),
    PgSlowStatements(),
    PgDatabase(),
    PgIntegrity(),
    PgIndexReport(),
)
TABLES = 5_000
MOST_BYTES = 64 * 1024
"""Of one look; the daemon keeps four times as much."""


def main() -> None:
    """Print the slowest of them; fails when one fails, or takes longer or brings more than it may."""
    with busy_server("18") as server, tempfile.TemporaryDirectory() as directory:
        asyncio.run(_looked(server, Path(directory)))


async def _looked(server: PostgresServer, directory: Path) -> None:
    many = "do $$ begin for n in 1..{} loop execute 'create table t' || n || ' (id int primary key)'; end loop; end $$"
    await execute(
        server.dsn("orders"), many.format(TABLES), "grant select on all tables in schema public to looker"
    )
    databases = Databases((orders(directory, dsn_of(server, "looker")),))
    taken: dict[str, tuple[float, int]] = {}

    async def timed(step: DatabaseDiagnostic) -> None:
        began = time.monotonic()
        seen = await look(step, databases)
        assert not seen.failed, seen.summary
        taken[step.key()] = time.monotonic() - began, len(json.dumps(seen.details))

    async with load(server) as made:
        await made.three_hundred()
        await asyncio.gather(*(timed(each) for each in LOOKS))
    slowest, (seconds, _) = max(taken.items(), key=lambda each: each[1])
    most = max(size for _, size in taken.values())
    deadline = min(each.deadline.total_seconds() for each in LOOKS)
    assert seconds < deadline, taken
    assert most < MOST_BYTES, taken
    print(
        f"bench databases: sessions=300 waiting=59 tables={TABLES} looks={len(LOOKS)} slowest={slowest} "
        f"seconds={seconds:.2f} deadline={deadline:g} bytes={most}"
    )
