"""What PostgreSQL says about itself and about what we may do in it."""

import re
from datetime import datetime

from remediator.domain.value import Value
from remediator.store.database import Connection
from remediator.store.migrate import migrations

_READ_ONLY = ("audit", "audit_heads")
"""PostgreSQL itself adds to these, whatever this user may."""
_TABLE = re.compile(r"^create table (\w+)", re.MULTILINE)


class Server(Value):
    """The server a connection leads to."""

    version: str
    """As people write it: `15.4`."""
    version_num: int
    """150004"""
    address: str
    """`host:port`, or the socket."""
    database: str
    user: str
    standby: bool
    """A replica that replays another server's log and takes no writes."""
    read_only: bool
    """Writes are refused, for whatever reason."""


async def server(connection: Connection) -> Server:
    """Who answers."""
    row = await connection.fetchrow(
        """select current_setting('server_version') as version,
                  current_setting('server_version_num')::int as version_num,
                  coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'a local socket') as address,
                  current_database() as database, current_user as user, pg_is_in_recovery() as standby,
                  current_setting('transaction_read_only') = 'on' as read_only"""
    )
    return Server(**dict(row or {}))


async def commit_nothing(connection: Connection) -> None:
    """Make the server commit to its disk without changing a row.

    The message goes into the write-ahead log only, where no one reads it: an empty transaction would not
    wait for the disk at all.
    """
    await connection.execute("select pg_logical_emit_message(true, 'remediator', 'doctor')")


async def tables_refused(connection: Connection) -> list[str]:
    """Those of our tables that this user may not read, insert into and update, or only read where that is all."""
    ours = [name for each in migrations() for name in _TABLE.findall(each.sql)]
    rows = await connection.fetch(
        """select relname from pg_class
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname = any ($1::text[])
             and not (has_table_privilege(oid, 'select')
                      and (relname = any ($2::text[])
                           or has_table_privilege(oid, 'insert') and has_table_privilege(oid, 'update')))
           order by relname""",
        ours,
        list(_READ_ONLY),
    )
    return [row["relname"] for row in rows]


async def now(connection: Connection) -> datetime:
    """The time all SQL goes by. There is none before the first migration."""
    moment: datetime = await connection.fetchval("select remediator_now()")
    return moment
