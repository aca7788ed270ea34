"""Storms: counted over all replicas, begun by whoever plans the target that reaches the threshold."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from remediator.domain.storm import Dependent, Storm, Surroundings
from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value
from remediator.settings.sections import Storms
from remediator.store.database import Connection

_FIELDS = "id, namespace, began_at, ends_at, offered, offer"
_IN_FORCE = "ended_at is null and ends_at > remediator_now()"
_NEWLY = """acting and opened_at > remediator_now() - $1::interval and target is not null
    and not exists (select 1 from episodes older
                    where older.target = episodes.target and older.acting and older.closed_at is null
                      and older.opened_at <= remediator_now() - $1::interval)"""
"""Of the targets of acting rules those that did not fire before the window."""
_ENOUGH = 1000
"""Counting what has not been planned stops here."""
_LOOKS_A_MINUTE = 64


class Affected(Value):
    """One target of a storm."""

    target: str
    alertname: str
    """Of its first alert."""
    fired_at: datetime
    rolled_out_at: datetime | None
    """When its current version's rollout began; None when our memory does not know it."""


async def in_force(connection: Connection) -> list[Storm]:
    """Every storm that is on; the one everywhere first."""
    rows = await connection.fetch(
        f"select {_FIELDS} from storms where {_IN_FORCE} order by namespace nulls first"
    )
    return [Storm(**row) for row in rows]


async def everywhere(connection: Connection) -> Storm | None:
    """The storm that covers every target, if there is one."""
    row = await connection.fetchrow(f"select {_FIELDS} from storms where namespace is null and {_IN_FORCE}")
    return None if row is None else Storm(**row)


async def covering(connection: Connection, target: Target) -> Storm | None:
    """The storm in which a target is; of two the one everywhere."""
    row = await connection.fetchrow(
        f"""select {_FIELDS} from storms where (namespace is null or namespace = $1) and {_IN_FORCE}
            order by namespace nulls first limit 1""",
        target.namespace,
    )
    return None if row is None else Storm(**row)


async def surroundings(
    connection: Connection, target: Target, depends_on: Sequence[str], window: timedelta, together: timedelta
) -> Surroundings:
    """What fires beside a target; `together` is how far apart two alerts may have begun."""
    in_namespace, anywhere = await _newly_firing(connection, target.namespace, window)
    return Surroundings(
        storm=await covering(connection, target),
        in_namespace=in_namespace,
        anywhere=anywhere,
        unplanned=await unplanned(connection, window),
        dependents=await _dependents(connection, target, depends_on, together),
    )


async def reached(connection: Connection, namespace: str, limits: Storms) -> Storm | None:
    """Begin a storm, or its cool-down anew, when a target that just began to fire reaches a threshold.

    Call within the transaction that recorded the target. None when no threshold is reached.
    Whoever counts waits for those who counted before to commit: of targets that are recorded at the same moment, the
    last one is counted with all others.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('storms', 0))")
    in_namespace, anywhere = await _newly_firing(connection, namespace, limits.window)
    if anywhere >= limits.anywhere:
        return await _begin(connection, None, limits.cool_down)
    if in_namespace >= limits.in_namespace and await everywhere(connection) is None:
        return await _begin(connection, namespace, limits.cool_down)
    return None


async def _begin(connection: Connection, namespace: str | None, cool_down: timedelta) -> Storm:
    # What has run out is another storm; and one everywhere takes the place of those in namespaces.
    await connection.execute(
        """update storms set ended_at = least(ends_at, remediator_now())
           where ended_at is null and (ends_at <= remediator_now() or ($1::text is null and namespace is not null))""",
        namespace,
    )
    row: Any = await connection.fetchrow(
        f"""insert into storms (namespace, ends_at) values ($1, remediator_now() + $2)
            on conflict (coalesce(namespace, '')) where ended_at is null
            do update set reached_at = excluded.reached_at, ends_at = excluded.ends_at
            returning {_FIELDS}""",
        namespace,
        cool_down,
    )
    return Storm(**row)


async def take_look(connection: Connection, storm: Storm) -> bool:
    """Whether one more target is due and may be looked up in a storm: a bounded number a minute, of all replicas."""
    taken = await connection.fetchval(
        """update storms set
               looks = case when looked_at > remediator_now() - interval '1 minute' then looks + 1 else 1 end,
               looked_at = case when looked_at > remediator_now() - interval '1 minute' then looked_at
                                else remediator_now() end
           where id = $1
             and exists (select 1 from episodes where plan_due_at <= remediator_now() and closed_at is null)
             and (looks < $2 or looked_at <= remediator_now() - interval '1 minute')
           returning 1""",
        storm.id,
        _LOOKS_A_MINUTE,
    )
    return taken is not None


async def put_off(connection: Connection, storm: Storm) -> int:
    """Whatever is due to be planned waits until the storm is over, all at once; how many those are.

    What is about the offered target is planned all the same, and what a run at work has taken up stays its.
    """
    moved = await connection.fetchval(
        """with due as (
               select id, alertname, incident_id, disposition,
                      exists (select 1 from runs where runs.id = episodes.run_id and runs.ended_at is null) as taken_up
               from episodes
               where plan_due_at <= remediator_now() and closed_at is null
                 and ($3::text is null or target is distinct from $3)
               order by plan_due_at, id limit 1000 for update skip locked),
           moved as (
               update episodes set
                   plan_due_at = case when due.taken_up then null else $1::timestamptz end,
                   disposition = case when due.taken_up then episodes.disposition else 'storm' end,
                   why = case when due.taken_up then episodes.why else $2::text end
               from due where episodes.id = due.id returning 1),
           told as (
               insert into journal (kind, text, incident_id, episode_id)
               select 'disposition', alertname || ': storm (' || $2::text || ')', incident_id, id from due
               where not taken_up and disposition is distinct from 'storm')
           select count(*) as moved from due""",
        storm.ends_at,
        storm.why,
        storm.offered,
    )
    return int(moved)


async def plan_again(connection: Connection, target: str) -> None:
    """What was put off about this target is planned at once."""
    await connection.execute(
        """update episodes set plan_due_at = remediator_now()
           where target = $1 and closed_at is null and disposition = 'storm'""",
        target,
    )


async def unplanned(connection: Connection, window: timedelta) -> int:
    """Alerts that came within the window and that planning has not seen: unread, unplanned, or cut from a group."""
    waiting: int = await connection.fetchval(
        """select (select count(*) from (
                       select 1 from notices where read_at is null and status = 'firing'
                         and received_at > remediator_now() - $1::interval limit $2) as unread)
                + (select count(*) from (
                       select 1 from episodes where disposition is null and closed_at is null
                         and opened_at > remediator_now() - $1::interval limit $2) as opened)
                + (select coalesce(sum(truncated), 0) from backfills
                   where done_at is null and received_at > remediator_now() - $1::interval)""",
        window,
        _ENOUGH,
    )
    return int(waiting)


async def _newly_firing(connection: Connection, namespace: str, window: timedelta) -> tuple[int, int]:
    row: Any = await connection.fetchrow(
        f"""select count(distinct target) filter (where split_part(target, '/', 2) = $2) as here,
                   count(distinct target) as anywhere from episodes where {_NEWLY}""",
        window,
        namespace,
    )
    return row["here"], row["anywhere"]


async def _dependents(
    connection: Connection, target: Target, depends_on: Sequence[str], together: timedelta
) -> tuple[Dependent, ...]:
    if not depends_on:
        return ()
    rows = await connection.fetch(
        """select distinct on (target) target, alertname, starts_at, depends_on from episodes
           where closed_at is null and depends_on <> '{}' and depends_on && $1::text[] and target <> $2
             and starts_at > (select coalesce(max(starts_at), remediator_now()) from episodes
                              where target = $2 and closed_at is null) - $3::interval
           order by target, starts_at""",
        list(depends_on),
        str(target),
        together,
    )
    return tuple(
        Dependent(
            target=row["target"],
            alertname=row["alertname"],
            starts_at=row["starts_at"],
            shared=tuple(each for each in depends_on if each in row["depends_on"]),
        )
        for row in rows
    )


async def end_over(connection: Connection) -> list[Storm]:
    """End the storms whose cool-down is over; which those are."""
    rows = await connection.fetch(
        f"""update storms set ended_at = ends_at where ended_at is null and ends_at <= remediator_now()
            returning {_FIELDS}"""
    )
    return [Storm(**row) for row in rows]


async def untold(connection: Connection) -> list[Storm]:
    """The storms in force of which people have not been told."""
    rows = await connection.fetch(
        f"select {_FIELDS} from storms where told_at is null and {_IN_FORCE} order by id"
    )
    return [Storm(**row) for row in rows]


async def affected(connection: Connection, storm: Storm, window: timedelta, cluster: str) -> list[Affected]:
    """The targets of a storm as far as they were looked up, the first to fire first."""
    rows = await connection.fetch(
        """with fired as (
               select distinct on (target) target, alertname, starts_at as fired_at from episodes
               where acting and target is not null and opened_at > $1::timestamptz - $2::interval
                 and ($3::text is null or split_part(target, '/', 2) = $3)
               order by target, starts_at),
           ran as (
               select kind || '/' || namespace || '/' || name as target, max(began_at) as rolled_out_at
               from tenures where cluster = $4 and ended_at is null group by 1)
           select * from fired left join ran using (target) order by fired_at, target""",
        storm.began_at,
        window,
        storm.namespace,
        cluster,
    )
    return [Affected(**row) for row in rows]


async def not_looked_up(
    connection: Connection, storm: Storm, window: timedelta
) -> tuple[int, datetime | None]:
    """How many alerts of a storm were put off without looking up their target, and when the first began."""
    row: Any = await connection.fetchrow(
        """select count(*) as alerts, min(starts_at) as first from episodes
           where closed_at is null and target is null and opened_at > $1::timestamptz - $2::interval
             and (disposition is null or disposition = 'storm') and $3::text is null""",
        storm.began_at,
        window,
        storm.namespace,
    )
    return row["alerts"], row["first"]


async def rolled_out_since(connection: Connection, cluster: str, since: datetime) -> list[str]:
    """Every remembered workload whose current version's rollout began after `since`."""
    rows = await connection.fetch(
        """select distinct kind || '/' || namespace || '/' || name as target from tenures
           where cluster = $1 and ended_at is null and began_at > $2 order by 1""",
        cluster,
        since,
    )
    return [row["target"] for row in rows]


async def tell(
    connection: Connection, storm: Storm, evidence: JsonObject, offered: str | None, offer: str | None
) -> bool:
    """Note that people are told now, and of what; False when another replica was quicker."""
    told = await connection.fetchval(
        """update storms set told_at = remediator_now(), evidence = $2, offered = $3, offer = $4
           where id = $1 and told_at is null returning 1""",
        storm.id,
        evidence,
        offered,
        offer,
    )
    return told is not None
