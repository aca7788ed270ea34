"""Notices: what Alertmanager sent, committed before it is acknowledged, then read by planning."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic_core import to_json

from remediator.domain.alert import Alert, Status
from remediator.domain.value import Value
from remediator.redaction.document import redact_json
from remediator.redaction.text import may_hold_secrets, redact
from remediator.store import journal
from remediator.store.database import Connection

_ROWS_A_STATEMENT = 2000
"""More would keep the event loop busy for too long while they are encoded."""


class IncomingAlert(NamedTuple):
    """One alert, ready to be stored. It is handed to PostgreSQL as a JSON array, in this order."""

    delivery_key: str
    """Of 64 hex digits."""
    fingerprint: str
    status: Status
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    """ISO 8601, in UTC, as is `ends_at`."""
    ends_at: str | None
    generator_url: str


class Quarantined(NamedTuple):
    """One alert that could not be read, out of a body that could."""

    reason: str
    body: str


class TruncatedGroup(NamedTuple):
    """A group of which Alertmanager cut some alerts off."""

    group_key: str
    group_labels: dict[str, str]
    truncated: int


class Stored(NamedTuple):
    """What became of the alerts of one `store`."""

    new: int
    repeated: int


class UnreadNotice(Value):
    """One notice that planning has not read since it last came."""

    id: int
    source: str
    alert: Alert


def delivery_key(source: str, marks: str, status: Status, starts_at: str, ends_at: str | None) -> str:
    """Identity of a notice: a repeat has the same. `marks` is the fingerprint, times as in IncomingAlert."""
    return sha256(f"{source}\n{marks}\n{status}\n{starts_at}\n{ends_at}".encode()).hexdigest()


async def store(
    connection: Connection,
    source: str,
    alerts: Sequence[IncomingAlert],
    quarantined: Sequence[Quarantined] = (),
    truncated: Sequence[TruncatedGroup] = (),
) -> Stored:
    """Write all of it; call within a transaction. An alert that came before is only noted as come again.

    A repeat becomes unread, so that planning sees it again. No text may hold NUL or lone surrogates.
    """
    if quarantined:
        await connection.executemany(
            "insert into quarantine (source, reason, body) values ($1, $2, $3)",
            [(source, redact(each.reason), redact(each.body)) for each in quarantined],
        )
    for group in truncated:
        await _store_group(connection, source, group)
    rows = list({alert.delivery_key: alert for alert in alerts}.values())
    rows.sort()  # by delivery key: two that store the same alerts must not wait for each other
    counts = Counter(alert.delivery_key for alert in alerts) if len(rows) < len(alerts) else {}
    new = 0
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        some = rows[start : start + _ROWS_A_STATEMENT]
        # Of all ways to hand over many rows this takes the least time, here and in PostgreSQL together.
        new += await connection.fetchval(_STORE, source, to_json(some).decode(), counts)
    return Stored(new, len(alerts) - new)


async def store_alerts(connection: Connection, source: str, alerts: Iterable[Alert]) -> Stored:
    """Write alerts that were fetched instead of sent; call within a transaction."""
    kept, odd = [], []
    for alert in alerts:
        if journal.storable_json(alert.labels) == alert.labels:
            kept.append(_incoming(source, alert))
        else:
            reason = "its labels hold a NUL or half a surrogate pair, which PostgreSQL cannot store"
            odd.append(Quarantined(reason, json.dumps(alert.labels)[:65536]))
    return await store(connection, source, kept, odd)


async def take_unread(connection: Connection, limit: int, seconds: float) -> list[UnreadNotice]:
    """The oldest unread notices, hidden from other readers for `seconds` unless they are marked read."""
    rows = await connection.fetch(
        """with taken as (
               update notices set claimed_until = remediator_now() + make_interval(secs => $2)
               where id = any (array(
                   select id from notices
                   where read_at is null and (claimed_until is null or claimed_until <= remediator_now())
                   order by id limit $1 for update skip locked))
               returning id, source, status, labels, annotations, starts_at, ends_at, generator_url)
           select * from taken order by id""",
        limit,
        seconds,
    )
    unread: list[UnreadNotice] = []
    for row in rows:
        try:
            unread.append(_unread(**row))
        except ValueError as reason:
            await set_aside(connection, row["id"], f"it cannot be read by this version: {reason}")
    return unread


async def set_aside(connection: Connection, notice_id: int, why: str) -> None:
    """Quarantine a stored notice that nothing can be made of, so that it holds up no other."""
    await connection.execute(
        """with read as (
               update notices set read_at = remediator_now(), claimed_until = null, disposition = 'unreadable'
               where id = $1 returning source, labels, annotations)
           insert into quarantine (source, reason, body)
           select source, $2, left(jsonb_build_object('labels', labels, 'annotations', annotations)::text, 65536)
           from read""",
        notice_id,
        redact(why),
    )


async def mark_read(connection: Connection, notice_id: int, disposition: str, episode_id: int | None) -> None:
    """Planning has read it, and this is what it did with it."""
    await connection.execute(
        """update notices set read_at = remediator_now(), claimed_until = null,
                              disposition = $2, episode_id = $3
           where id = $1""",
        notice_id,
        disposition,
        episode_id,
    )


async def last_arrival(connection: Connection) -> datetime | None:
    """When a notice last came; None when none ever did. Only the newest rows are looked at, there is no index."""
    moment: datetime | None = await connection.fetchval(
        """select max(last_received_at)
           from (select last_received_at from notices order by id desc limit 10000) as newest"""
    )
    return moment


async def last_arrivals(connection: Connection, fingerprints: Sequence[str]) -> dict[str, datetime]:
    """When each of these alerts last came; those that never did are not in it."""
    rows = await connection.fetch(
        """select fingerprint, max(last_received_at) as last from notices
           where fingerprint = any ($1::text[]) group by fingerprint""",
        fingerprints,
    )
    return {row["fingerprint"]: row["last"] for row in rows}


async def oldest_unplanned_seconds(connection: Connection) -> float:
    """How long the oldest alert has waited of which it was not decided what to do, or not again when that was due.

    It waits to be read since it last came; 0 when none waits.
    """
    age = await connection.fetchval(
        """select extract(epoch from remediator_now() - least(
               (select min(last_received_at) from notices where read_at is null),
               (select min(opened_at) from episodes where disposition is null and closed_at is null),
               (select min(plan_due_at) from episodes where plan_due_at <= remediator_now())))"""
    )
    return max(0.0, float(age or 0))


_STORE = """
with now as materialized (select remediator_now() as at),
written as (
    insert into notices as there (
        delivery_key, source, fingerprint, status, labels, annotations, starts_at, ends_at, generator_url,
        deliveries, received_at, last_received_at)
    select decode(sent->>0, 'hex'), $1, sent->>1, sent->>2, sent->3, sent->4,
           (sent->>5)::timestamptz, (sent->>6)::timestamptz, sent->>7,
           coalesce(($3::jsonb->>(sent->>0))::int, 1), now.at, now.at
    from now, jsonb_array_elements($2::text::jsonb) as sent
    on conflict (delivery_key) do update
        set last_received_at = excluded.last_received_at, read_at = null,
            deliveries = there.deliveries + excluded.deliveries
    returning xmax = 0 as is_new)  -- a row that was updated, not inserted, has an xmax
select count(*) filter (where is_new) from written
"""


async def _store_group(connection: Connection, source: str, group: TruncatedGroup) -> None:
    """Alertmanager repeats a request that we may have stored: one waiting row a group is enough."""
    await connection.execute(
        """insert into backfills (source, group_key, group_labels, truncated)
           select $1, $2, $3::jsonb, $4
           where not exists (select 1 from backfills
                             where source = $1 and group_key = $2 and tries = 0 and done_at is null)""",
        source,
        *group,
    )


def without_secrets(annotations: dict[str, str]) -> dict[str, str]:
    """Annotations as they may be stored. Labels stay as they are: they are the alert's identity."""
    if not may_hold_secrets("\n".join((*annotations, *annotations.values()))):
        return annotations
    cleaned: dict[str, str] = redact_json(annotations)
    return cleaned


def _incoming(source: str, alert: Alert) -> IncomingAlert:
    marks, starts_at = alert.fingerprint, alert.starts_at.astimezone(UTC).isoformat()
    ends_at = alert.ends_at.astimezone(UTC).isoformat() if alert.ends_at is not None else None
    return IncomingAlert(
        delivery_key(source, marks, alert.status, starts_at, ends_at),
        marks,
        alert.status,
        alert.labels,
        without_secrets(journal.storable_json(alert.annotations)),
        starts_at,
        ends_at,
        redact(journal.storable(alert.generator_url)),
    )


def _unread(id: int, source: str, **alert: Any) -> UnreadNotice:  # noqa: A002 -- the columns' names
    return UnreadNotice(id=id, source=source, alert=Alert(**alert))
