"""Groups that Alertmanager truncated and whose missing alerts are still to be fetched."""

from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.store.database import Connection


class Backfill(Value):
    """One truncated group."""

    id: int
    source: str
    group_labels: dict[str, str]
    truncated: int
    tries: int


async def take_due(connection: Connection) -> Backfill | None:
    """One group to fetch, hidden from others for half a minute."""
    row = await connection.fetchrow(
        """update backfills set tries = tries + 1, due_at = remediator_now() + interval '30 seconds'
           where id = (select id from backfills where done_at is null and due_at <= remediator_now()
                       order by id for update skip locked limit 1)
           returning id, source, group_labels, truncated, tries"""
    )
    return None if row is None else Backfill(**row)


async def done(connection: Connection, backfill_id: int) -> None:
    """The missing alerts are stored."""
    await connection.execute("update backfills set done_at = remediator_now() where id = $1", backfill_id)


async def failed(connection: Connection, backfill_id: int, why: str) -> None:
    """Nobody could be asked; it stays due."""
    await connection.execute("update backfills set last_error = $2 where id = $1", backfill_id, redact(why))
