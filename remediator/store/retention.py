"""Lets go of what is over and old. What may go is decided by functions of the database's owner (migration 0016)."""

from remediator.settings.sections import Retention
from remediator.store.database import Connection


async def forget_received(connection: Connection, kept: Retention, limit: int) -> int:
    """At most `limit` of each kind of what Alertmanager sent, once read and closed; the most of one kind it were."""
    gone: int = await connection.fetchval("select forget_received($1, $2)", kept.notices, limit)
    return gone


async def forget_incidents(connection: Connection, kept: Retention, limit: int) -> int:
    """At most `limit` closed incidents with all that hangs on them; how many it were."""
    gone: int = await connection.fetchval(
        "select forget_incidents($1, $2, $3)", kept.incidents, kept.shadow_runs, limit
    )
    return gone


async def forget_seen(connection: Connection, kept: Retention, limit: int) -> int:
    """At most `limit` of each kind of what the memory saw end; the most of one kind it were."""
    gone: int = await connection.fetchval("select forget_seen($1, $2)", kept.memory, limit)
    return gone
