"""The connection pool, with the limits every statement lives under."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from remediator.settings.sections import DatabaseLimits

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection was lost while the pool took it back
    OSError,
    TimeoutError,
)
"""What a statement may raise when the database is away, busy or refuses; the statement may have worked."""

POISON = (
    asyncpg.DataError,
    asyncpg.CheckViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)
"""What one row does that cannot be read or stored; the database itself is well, and the next row may be."""

_READING_SECONDS = 3600
_USUAL = DatabaseLimits()


def server_settings(limits: DatabaseLimits = _USUAL) -> dict[str, str]:
    """What a connection asks of PostgreSQL for itself. Every connection of the product is opened with these."""
    return {
        "application_name": "remediator",
        "statement_timeout": _milliseconds(limits.statement_timeout),
        "lock_timeout": _milliseconds(limits.lock_timeout),
        # A stopped process must not keep its rows locked: another replica takes over after this.
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
        # And of one whose machine or network is gone the server hears nothing, unless it asks.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "25000",
        "search_path": "public",
        "timezone": "UTC",
    }


def _milliseconds(time: timedelta) -> str:
    return f"{time / timedelta(milliseconds=1):.0f}ms"


class Database:
    """A pool of connections; opened by `open_database`, closed by `close`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", wait: float) -> None:
        """`wait` is how many seconds a connection is waited for while all are in use."""
        self._pool = pool
        self._wait = wait

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction, committed at the end of the block and rolled back when it raises."""
        async with self._pool.acquire(timeout=self._wait) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for single statements, each a transaction of its own."""
        async with self._pool.acquire(timeout=self._wait) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection, waiting shortly for those in use."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def open_database(dsn: str, *, size: int | None = None, limits: DatabaseLimits = _USUAL) -> Database:
    """Connect, with at most `size` connections where the limits' number is too many.

    Raises one of DATABASE_ERRORS when the database cannot be reached.
    """
    seconds = limits.statement_timeout.total_seconds()
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size or limits.connections,
        timeout=5,
        command_timeout=seconds + 2,
        server_settings=server_settings(limits),
        init=_prepare,
        reset=_leave_as_it_is,
    )
    return Database(pool, seconds)


@asynccontextmanager
async def one_state(dsn: str) -> AsyncIterator[Connection]:
    """A connection of its own that sees one state of the database and changes nothing, for reading all of a table.

    Raises one of DATABASE_ERRORS.
    """
    patient = DatabaseLimits(
        statement_timeout=timedelta(seconds=_READING_SECONDS),
        idle_in_transaction_timeout=timedelta(seconds=_READING_SECONDS),
    )
    connection = await asyncpg.connect(
        dsn, timeout=5, command_timeout=_READING_SECONDS, server_settings=server_settings(patient)
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close(timeout=5)


async def _leave_as_it_is(_connection: Connection) -> None:
    """Spare every use of a connection one round trip: nothing here changes a session (`set local` ends by itself).

    The pool itself ends an open transaction and takes listeners off before it asks for this.
    """


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
