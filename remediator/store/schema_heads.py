"""At which version the schema of a watched database was seen, and when."""

from datetime import datetime

from remediator.store.database import Connection


async def observe(connection: Connection, name: str, head: str) -> None:
    """Extend the newest stretch of a database, or begin another; call within a transaction."""
    extended = await connection.fetchval(
        """update schema_heads set last_seen_at = remediator_now()
           where id = (select max(id) from schema_heads where name = $1) and head = $2 returning id""",
        name,
        head,
    )
    if extended is None:
        await connection.execute("insert into schema_heads (name, head) values ($1, $2)", name, head)


async def between(connection: Connection, name: str, since: datetime, until: datetime) -> list[str]:
    """The heads seen within this time, oldest first; none when nobody looked."""
    rows = await connection.fetch(
        """select head from schema_heads
           where name = $1 and first_seen_at <= $3 and last_seen_at >= $2 order by id""",
        name,
        since,
        until,
    )
    return [row["head"] for row in rows]
