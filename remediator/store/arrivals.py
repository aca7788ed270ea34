"""Many notices read at once: in a storm nearly all open an episode, or repeat one that is open."""

from collections.abc import Mapping, Sequence
from typing import Any

from remediator.store import journal
from remediator.store.database import Connection
from remediator.store.episodes import FIELDS, Episode
from remediator.store.notices import UnreadNotice

Read = Mapping[int, tuple[str, int]]
"""By notice: what it did, and to which episode."""


async def lock_alerts(connection: Connection, batch: Sequence[UnreadNotice]) -> None:
    """As lock_alert, for each alert of the batch; in one order, so that no two readers wait for each other."""
    await connection.execute(
        """select pg_advisory_xact_lock(key) from (
               select hashtextextended(alert, 0) as key from unnest($1::text[]) as alert order by 1) as sorted""",
        [f"{each.source}/{each.alert.fingerprint}" for each in batch],
    )


async def latest_of_each(
    connection: Connection, batch: Sequence[UnreadNotice]
) -> dict[tuple[str, str], Episode]:
    """The newest episode of each alert that has one, not locked: planning may be at it."""
    rows = await connection.fetch(
        f"""select newest.* from unnest($1::text[], $2::text[]) as alert (source, fingerprint),
                lateral (select {FIELDS} from episodes
                         where episodes.source = alert.source and episodes.fingerprint = alert.fingerprint
                         order by id desc limit 1) as newest""",
        *_columns(batch),
    )
    return {(row["source"], row["fingerprint"]): Episode(**row) for row in rows}


async def open_each(connection: Connection, batch: Sequence[UnreadNotice]) -> dict[int, int]:
    """A new episode for each of these firing alerts, of which none has one; by notice."""
    rows = await connection.fetch(
        """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, plan_due_at)
           select source, fingerprint, alertname, labels, annotations, starts_at, remediator_now()
           from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::timestamptz[])
               as sent (source, fingerprint, alertname, labels, annotations, starts_at)
           returning id, source, fingerprint""",
        *_columns(batch),
        [each.alert.name for each in batch],
        [each.alert.labels for each in batch],
        [each.alert.annotations for each in batch],
        [each.alert.starts_at for each in batch],
    )
    opened = {(row["source"], row["fingerprint"]): row["id"] for row in rows}
    return {each.id: opened[each.source, each.alert.fingerprint] for each in batch}


async def refresh_each(connection: Connection, episode_ids: Sequence[int]) -> set[int]:
    """Those of the open episodes that were heard of again and that nobody is at just now."""
    rows = await connection.fetch(
        """update episodes set last_seen_at = remediator_now(), absent_since = null,
                               plan_due_at = coalesce(plan_due_at, remediator_now())
           where id in (select id from episodes where id = any($1::bigint[]) and closed_at is null
                        for update skip locked)
           returning id""",
        list(episode_ids),
    )
    return {row["id"] for row in rows}


async def mark_each_read(connection: Connection, read: Read) -> None:
    """Planning has read these."""
    await connection.execute(
        """update notices set read_at = remediator_now(), claimed_until = null,
                              disposition = done.disposition, episode_id = done.episode_id
           from unnest($1::bigint[], $2::text[], $3::bigint[]) as done (id, disposition, episode_id)
           where notices.id = done.id""",
        list(read),
        [disposition for disposition, _ in read.values()],
        [episode_id for _, episode_id in read.values()],
    )


async def tell_each(connection: Connection, lines: Sequence[tuple[str, dict[str, Any], int]]) -> None:
    """A journal line for each: its text, its details, its episode."""
    await connection.execute(
        """insert into journal (kind, text, details, episode_id)
           select 'alert', text, details, episode_id
           from unnest($1::text[], $2::jsonb[], $3::bigint[]) as told (text, details, episode_id)""",
        [journal.kept_text(text) for text, _, _ in lines],
        [journal.kept_json(details) for _, details, _ in lines],
        [episode_id for _, _, episode_id in lines],
    )


def _columns(batch: Sequence[UnreadNotice]) -> tuple[list[str], list[str]]:
    return [each.source for each in batch], [each.alert.fingerprint for each in batch]
