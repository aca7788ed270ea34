"""Undelivered notices. A row is written with the decision it tells of; the courier takes it from there."""

from collections.abc import Iterable
from typing import Any

from remediator.domain.notice import Notice
from remediator.domain.value import Value
from remediator.redaction.document import redact_json
from remediator.redaction.text import redact
from remediator.store.database import Connection

KUBERNETES_EVENT = "kubernetes_event"
"""The channel that becomes an Event on the target; every other channel is a notifier's."""


class Parcel(Value):
    """One notice for one channel."""

    id: int
    channel: str
    key: str
    notice: Notice
    tries: int


async def enqueue(
    connection: Connection, channels: Iterable[str], notice: Notice, run_id: int | None
) -> None:
    """Put a notice out for every channel, without secrets, as urgent as its incident; the same key twice is once."""
    if notice.incident_id is not None:
        severity = await connection.fetchval(
            "select severity from incidents where id = $1", notice.incident_id
        )
        notice = notice.model_copy(update={"severity": severity or notice.severity})
    for channel in channels:
        await connection.execute(
            """insert into outbox (run_id, channel, key, payload) values ($1, $2, $3, $4)
               on conflict (key) do nothing""",
            run_id,
            channel,
            f"{channel}/{notice.key}",
            redact_json(notice.to_json()),
        )


class UnreadableParcel(Value):
    """A row that no notice can be made of; it is given up."""

    id: int


async def take_due(connection: Connection, lease_seconds: float) -> Parcel | UnreadableParcel | None:
    """One parcel whose time has come, hidden from other couriers for `lease_seconds`.

    The notices of one run leave each channel in the order they were written. One that cannot be read is given up
    at once: it would hold up those behind it.
    """
    row: Any = await connection.fetchrow(
        """update outbox set tries = tries + 1, due_at = remediator_now() + make_interval(secs => $1)
           where id = (select o.id from outbox o
                       where o.delivered_at is null and o.given_up_at is null and o.due_at <= remediator_now()
                         and not exists (select 1 from outbox earlier
                                         where earlier.channel = o.channel and earlier.run_id = o.run_id
                                           and earlier.id < o.id and earlier.delivered_at is null
                                           and earlier.given_up_at is null)
                       order by o.due_at, o.id for update skip locked limit 1)
           returning id, channel, key, payload, tries""",
        lease_seconds,
    )
    if row is None:
        return None
    try:
        notice = Notice.model_validate(row["payload"])
    except ValueError as reason:
        unreadable = UnreadableParcel(id=row["id"])
        await give_up(connection, unreadable, f"it cannot be read by this version: {reason}")
        return unreadable
    return Parcel(id=row["id"], channel=row["channel"], key=row["key"], notice=notice, tries=row["tries"])


async def delivered(connection: Connection, parcel: Parcel) -> None:
    """It arrived."""
    await connection.execute("update outbox set delivered_at = remediator_now() where id = $1", parcel.id)


async def put_back(connection: Connection, parcel: Parcel, why: str, seconds: float) -> None:
    """It did not arrive; try again after `seconds`."""
    await connection.execute(
        """update outbox set last_error = $2, due_at = remediator_now() + make_interval(secs => $3)
           where id = $1""",
        parcel.id,
        redact(why),
        seconds,
    )


async def give_up(connection: Connection, parcel: Parcel | UnreadableParcel, why: str) -> None:
    """It can never arrive; the row stays for people to see."""
    await connection.execute(
        "update outbox set last_error = $2, given_up_at = remediator_now() where id = $1",
        parcel.id,
        redact(why),
    )


async def oldest_undelivered_seconds(connection: Connection) -> float:
    """Age of the oldest notice still waiting; 0 when none waits."""
    age = await connection.fetchval(
        """select extract(epoch from remediator_now() - min(created_at)) from outbox
           where delivered_at is null and given_up_at is null"""
    )
    return float(age or 0)
