"""The connection pool, with the limits every statement lives under."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection was lost while the pool took it back
    OSError,
    TimeoutError,
)
"""What a statement may raise when the database is away, busy or refuses; the statement may have worked."""

_POOL_SIZE = 10
_STATEMENT_SECONDS = 10
_SERVER_SETTINGS = {
    "application_name": "remediator",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "lock_timeout": "2s",
    # A stopped process must not keep its rows locked: another replica takes over after this.
    "idle_in_transaction_session_timeout": "5s",
    "search_path": "public",
    "timezone": "UTC",
}


class Database:
    """A pool of connections; opened by `open_database`, closed by `close`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction, committed at the end of the block and rolled back when it raises."""
        async with self._pool.acquire(timeout=_STATEMENT_SECONDS) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for single statements, each a transaction of its own."""
        async with self._pool.acquire(timeout=_STATEMENT_SECONDS) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection, waiting shortly for those in use."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def open_database(dsn: str, *, size: int = _POOL_SIZE) -> Database:
    """Connect. Raises one of DATABASE_ERRORS when the database cannot be reached."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        timeout=5,
        command_timeout=_STATEMENT_SECONDS + 2,
        server_settings=_SERVER_SETTINGS,
        init=_prepare,
        reset=_leave_as_it_is,
    )
    return Database(pool)


async def _leave_as_it_is(_connection: Connection) -> None:
    """Spare every use of a connection one round trip: nothing here changes a session (`set local` ends by itself).

    The pool itself ends an open transaction and takes listeners off before it asks for this.
    """


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
