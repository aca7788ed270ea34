"""A short look into somebody else's PostgreSQL: one connection, one read-only transaction, little time.

Everything is inside that one transaction and nothing is sent at the start of the connection but our name, so that a
pooler in transaction mode (PgBouncer) serves as well as the server itself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.errors import Permanent, RemediatorError, Retryable

if TYPE_CHECKING:
    import asyncpg

_CONNECT_SECONDS = 4.0
_STATEMENT_SECONDS = 5.0
_LOCK_SECONDS = 1.0
_ALL_SECONDS = 12.0
"""For everything from connecting on: less than the deadline of a look, so that what is said is what was slow."""
_MOST_ROWS = 2000
_NO_ADDRESS = "no address postgresql://..."

_LIMITS = f"""select set_config('statement_timeout', '{_STATEMENT_SECONDS:g}s', true),
                     set_config('lock_timeout', '{_LOCK_SECONDS:g}s', true),
                     set_config('idle_in_transaction_session_timeout', '{_ALL_SECONDS:g}s', true)"""

_WHO = """select current_setting('server_version_num')::int as version_num,
                 split_part(current_setting('server_version'), ' ', 1) as version, current_user::text as role,
                 current_database()::text as database, pg_is_in_recovery() as standby,
                 pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_statistics,
                 (select xact_start from pg_stat_activity where pid = pg_backend_pid()) as moment"""
"""The moment is the server's own: its clock is what its other moments are held against."""


@dataclass(slots=True)
class Session:
    """One look into one database."""

    name: str
    """As the settings call the database."""
    connection: "asyncpg.Connection[asyncpg.Record]"
    version_num: int
    """As `server_version_num`: 150018 is 15.18."""
    version: str
    role: str
    database: str
    standby: bool
    sees_statistics: bool
    """Whether it is shown what other roles do (pg_monitor, or pg_read_all_stats)."""
    moment: datetime
    """When the look began, by the server's clock."""
    unseen: list[str] = field(default_factory=list)
    """What could not be seen, and what would let it be."""

    async def rows(self, query: str, *arguments: Any, most: int = _MOST_ROWS) -> list[dict[str, Any]]:
        """The first rows. Raises Retryable or Permanent; the next query is answered all the same."""
        with foreign_errors(self.name):
            async with _transaction(self.connection):  # a savepoint: an error ends it, and not the look
                cursor = await self.connection.cursor(query, *arguments)
                return [dict(each) for each in await cursor.fetch(most)]

    async def row(self, query: str, *arguments: Any) -> dict[str, Any]:
        """The only row. Raises as `rows` does."""
        return (await self.rows(query, *arguments, most=1))[0]

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first column of the first row; None without one. Raises as `rows` does."""
        rows = await self.rows(query, *arguments, most=1)
        return next(iter(rows[0].values()), None) if rows else None

    async def parse(self, query: str) -> int:
        """How many parameters a query takes, which is not run. Raises Permanent when it is none."""
        with foreign_errors(self.name):
            async with _transaction(self.connection):
                return len((await self.connection.prepare(query)).get_parameters())

    async def rows_or_unseen(self, what: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """The rows, or none, and a word in `unseen` of what is missing because of that."""
        try:
            return await self.rows(query, *arguments)
        except RemediatorError as reason:
            self.unseen.append(f"{what}: {reason.sentence}")
            return []


@asynccontextmanager
async def session(name: str, dsn_file: Path) -> AsyncIterator[Session]:
    """Open for the length of the block. Raises Retryable or Permanent; what they say never holds the address."""
    try:
        async with asyncio.timeout(_ALL_SECONDS):
            connection = await _connected(name, dsn_file)
            try:
                with foreign_errors(name):
                    async with _transaction(connection, readonly=True):
                        await connection.fetchrow(_LIMITS)
                        who = await connection.fetchrow(_WHO)
                        assert who is not None
                        yield Session(name, connection, **dict(who))
            finally:
                await _closed(connection)
    except TimeoutError:
        raise Retryable(f"database {name} was not done within {_ALL_SECONDS:g} s") from None


@asynccontextmanager
async def _transaction(
    connection: "asyncpg.Connection[asyncpg.Record]", *, readonly: bool = False
) -> AsyncIterator[None]:
    """As asyncpg's own, but whoever is out of time does not wait for the end of it: closing the connection is one."""
    import asyncpg

    transaction = connection.transaction(readonly=readonly)
    await transaction.start()
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, RemediatorError):
        if not connection.is_closed():
            await transaction.rollback()
        raise
    await transaction.commit()


async def _connected(name: str, dsn_file: Path) -> "asyncpg.Connection[asyncpg.Record]":
    import asyncpg  # every step reaches this module, and checking rule files needs no database

    try:
        return await asyncpg.connect(
            address_in(name, dsn_file),
            timeout=_CONNECT_SECONDS,
            command_timeout=_STATEMENT_SECONDS + 1,
            statement_cache_size=0,  # a pooler may give each transaction another connection
            server_settings={"application_name": "remediator"},
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as reason:
        raise Permanent(f"database {name} does not let us in: {reason}") from None
    except asyncpg.PostgresError as reason:
        raise Retryable(f"database {name} does not answer: {reason}") from None
    except asyncpg.InternalClientError as reason:
        raise Retryable(f"database {name} does not speak as PostgreSQL does: {reason}") from None
    except (asyncpg.InterfaceError, ValueError):  # its text may hold parts of the address
        raise Permanent(f"database {name}: {dsn_file} holds {_NO_ADDRESS}") from None
    except OSError as reason:
        said = f"nothing within {_CONNECT_SECONDS:g} s" if isinstance(reason, TimeoutError) else None
        raise Retryable(f"database {name} does not answer: {said or reason.strerror or reason}") from None


def address_in(name: str, dsn_file: Path) -> str:
    """Read again for every look, as it may have been rotated. What is empty would be asyncpg's idea of a default.

    It holds a password: nobody is shown it. Raises Permanent.
    """
    try:
        address = dsn_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as reason:
        said = reason.strerror if isinstance(reason, OSError) else "not text"
        raise Permanent(f"database {name}: {dsn_file} cannot be read: {said}") from None
    if not address.startswith(("postgresql://", "postgres://")):
        raise Permanent(f"database {name}: {dsn_file} holds {_NO_ADDRESS}")
    return address


async def _closed(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """At once: nothing is to be kept, and whoever asked may be out of time."""
    import asyncpg

    try:
        await connection.close(timeout=1.0)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


@contextmanager
def foreign_errors(name: str) -> Iterator[None]:
    """What asyncpg raises inside the block is raised as Retryable or Permanent, with what the server said."""
    import asyncpg

    try:
        yield
    except asyncpg.QueryCanceledError:
        raise Retryable(f"database {name}: a query took longer than {_STATEMENT_SECONDS:g} s") from None
    except asyncpg.LockNotAvailableError:
        raise Retryable(f"database {name}: what it asks for was locked for {_LOCK_SECONDS:g} s") from None
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
    ) as reason:
        raise Retryable(f"database {name} broke off: {reason}") from None
    except asyncpg.PostgresError as reason:
        raise Permanent(f"database {name}: {reason}") from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as reason:
        raise Permanent(f"database {name}: {reason}") from None
    except TimeoutError:
        raise Retryable(f"database {name} fell silent") from None
    except OSError as reason:
        raise Retryable(f"database {name} broke off: {reason.strerror or type(reason).__name__}") from None
