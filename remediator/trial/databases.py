"""A migrated database for everybody who asks, cloned from a template in some milliseconds."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

import asyncpg

from remediator.sandbox.postgres import PostgresServer
from remediator.settings.sections import DatabaseLimits
from remediator.store.database import server_settings
from remediator.store.migrate import migrate
from remediator.trial.clock import DRIVEN_NOW

Time = Literal["driven", "real"]
Result = TypeVar("Result")
_MEMORY = Path("/dev/shm")
_PATIENCE = timedelta(seconds=30)
_ROOM = 4 << 30
"""Bytes that must be free there: a flood of alerts and its write-ahead log take some hundred megabytes."""


class Databases:
    """Makes and drops databases on one private server. Nothing here may be called inside an event loop."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count(1)

    def make_templates(self) -> None:
        """One template with the real clock, one whose clock is driven."""
        self._admin("create database real")
        _run(migrate(self._server.dsn("real")))
        self._admin("create database driven template real")
        _run(_execute(self._server.dsn("driven"), DRIVEN_NOW))

    @contextmanager
    def clone(self, time: Time) -> Iterator[str]:
        """The address of a database of one's own, dropped at the end whoever is still connected."""
        name = f"clone_{next(self._numbers)}"
        self._admin(f"create database {name} template {time}")
        try:
            yield self._server.dsn(name)
        finally:
            self._admin(f"drop database {name} with (force)")

    def _admin(self, statement: str) -> None:
        _run(_execute(self._server.dsn(), statement))


@contextmanager
def private_postgres(
    *,
    durable: bool = False,
    settings: Mapping[str, str | int] | None = None,
    bin_dir: Path | None = None,
    port: int | None = None,
) -> Iterator[PostgresServer]:
    """A running server that ends with the block, as `PostgresServer` takes the rest. Only in the main thread."""
    parent = Path(tempfile.mkdtemp(prefix="remediator-trial-", dir=None if durable else _in_memory()))
    parent.chmod(0o755)  # the server may run as another user
    try:
        # Commit times are PostgreSQL's own word for the order of things, for whoever judges ours.
        ours = {"max_connections": 200, "track_commit_timestamp": "on", **(settings or {})}
        with PostgresServer(
            parent / "data", durable=durable, settings=ours, bin_dir=bin_dir, port=port
        ) as server:
            yield server
    finally:
        shutil.rmtree(parent)


def _in_memory() -> Path | None:
    """Where files cost no disk, if there is room: a database is cloned there in 30 ms instead of 500."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM else None


def create_database(server: PostgresServer, name: str) -> str:
    """An empty database on `server`: its address."""
    _run(_execute(server.dsn(), f"create database {name}"))
    return server.dsn(name)


async def _execute(dsn: str, statements: str) -> None:
    settings = server_settings(DatabaseLimits(statement_timeout=_PATIENCE))
    seconds = _PATIENCE.total_seconds()
    connection = await asyncpg.connect(
        dsn, timeout=seconds, command_timeout=seconds, server_settings=settings
    )
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def _run(work: Coroutine[None, None, Result]) -> Result:
    """Run to the end in a loop of its own, leaving alone the one that others, such as pytest, have prepared."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)
