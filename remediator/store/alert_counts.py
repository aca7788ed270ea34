"""How often which alerts began, for the digest."""

from datetime import timedelta

from remediator.domain.value import Value
from remediator.store.database import Connection


class AlertCount(Value):
    """Alerts of one name: how many began lately, in the time as long before that, and are open now."""

    alertname: str
    began: int
    began_before: int
    open: int


async def by_name(connection: Connection, past: timedelta) -> list[AlertCount]:
    """Of the names that have anything to tell, the most frequent first."""
    rows = await connection.fetch(
        """select alertname, count(*) filter (where opened_at > remediator_now() - $1::interval) as began,
                  count(*) filter (where opened_at <= remediator_now() - $1::interval
                                     and opened_at > remediator_now() - 2 * $1::interval) as began_before,
                  count(*) filter (where closed_at is null) as open
           from episodes where opened_at > remediator_now() - 2 * $1::interval or closed_at is null
           group by alertname order by began desc, open desc, alertname limit 500""",
        past,
    )
    return [AlertCount(**row) for row in rows]


async def quarantined(connection: Connection, past: timedelta) -> int:
    """How many alerts came that could not be read."""
    return int(
        await connection.fetchval(
            "select count(*) from quarantine where received_at > remediator_now() - $1::interval", past
        )
    )
