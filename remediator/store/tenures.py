"""Tenures: which revision of a workload was current when, and how long it was seen fully available."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from remediator.domain.history import Tenure
from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value
from remediator.store import journal
from remediator.store.database import Connection

_WHOLE_SECOND = timedelta(seconds=1)


class Sighting(Value):
    """One look of the memory at one workload."""

    target: Target
    uid: str
    revision: str
    template: JsonObject
    began_at: datetime
    """When this revision's rollout began, as far as the ReplicaSets tell."""
    available: bool
    """Fully available at this look."""
    restart_stamp: str = ""
    """Another one after each restart; empty where it was never restarted."""
    replicas: int | None = None
    """How many it wants; None for a DaemonSet, which wants one on each of its nodes."""


async def of_target(connection: Connection, target: Target) -> list[Tenure]:
    """All tenures of a workload, oldest first."""
    rows = await connection.fetch(
        """select uid, revision, template, began_at, began_seen, ended_at, replaced_by,
                  longest_available_seconds, last_seen_at
           from tenures where cluster = $1 and kind = $2 and namespace = $3 and name = $4 order by id""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
    )
    return [Tenure(**row) for row in rows]


async def see(connection: Connection, sightings: Sequence[Sighting], unseen_after: float) -> None:
    """Extend the current tenures, or end them and begin others; call within a transaction.

    A stretch of availability is broken when the last look is more than `unseen_after` seconds ago:
    what was not seen is not availability. A look at which nothing changed is two statements, however many
    workloads there are.
    """
    await _end_others(connection, sightings)
    extended = await _extend(connection, sightings, unseen_after)
    for seen in sightings:
        if (seen.target, seen.uid) not in extended:
            await _replace(connection, seen)


async def _replace(connection: Connection, seen: Sighting) -> None:
    """Another revision than at the last look is the current one, or this is the first look."""
    target = seen.target
    current = await connection.fetchrow(
        """select id, last_seen_at from tenures
           where cluster = $1 and kind = $2 and namespace = $3 and name = $4 and uid = $5 and ended_at is null
           for update""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        seen.uid,
    )
    if current is None:
        await _begin(connection, seen, seen.began_at, began_seen=False)
        return
    began_at = await _began_at(connection, seen, current["last_seen_at"])
    await connection.execute(
        "update tenures set ended_at = $2, replaced_by = $3, available_since = null where id = $1",
        current["id"],
        began_at,
        seen.revision,
    )
    await _begin(connection, seen, began_at, began_seen=True)


async def _began_at(connection: Connection, seen: Sighting, last_look: datetime) -> datetime:
    """When a revision that was not current at the last look became so.

    A new release has a ReplicaSet younger than that look (stamped in whole seconds). Where somebody
    went back, the ReplicaSet is older; then the time of this look is taken, which is late rather than
    early: a rollout that may be a fix must not seem to have come before the alert.
    """
    if seen.began_at + _WHOLE_SECOND > last_look:
        return max(seen.began_at, last_look)
    now: datetime = await connection.fetchval("select remediator_now()")
    return now


async def _extend(
    connection: Connection, sightings: Sequence[Sighting], unseen_after: float
) -> set[tuple[Target, str]]:
    """Extend every current tenure whose revision is still the one seen; which those are."""
    rows = await connection.fetch(
        f"""update tenures set {_AVAILABILITY}, {_HINDSIGHT}, last_seen_at = remediator_now()
           from {_SEEN} where {_SAME_NAME} and tenures.uid = seen.uid
             and tenures.revision = seen.revision and ended_at is null
           returning tenures.cluster, tenures.kind, tenures.namespace, tenures.name, tenures.uid""",
        *_columns(sightings),
        unseen_after,
    )
    return {
        (
            Target(cluster=row["cluster"], kind=row["kind"], namespace=row["namespace"], name=row["name"]),
            row["uid"],
        )
        for row in rows
    }


async def _begin(connection: Connection, seen: Sighting, began_at: datetime, *, began_seen: bool) -> None:
    target = seen.target
    await connection.execute(
        """insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen,
                                available_since, last_seen_at, watched_since, watched_until,
                                restart_stamp)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then remediator_now() end, remediator_now(),
                   remediator_now(), remediator_now(), $11)""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        seen.uid,
        seen.revision,
        journal.kept_json(seen.template),
        began_at,
        began_seen,
        seen.available,
        seen.restart_stamp,
    )


async def _end_others(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Objects were deleted and made anew: the tenures of their earlier selves are over."""
    await connection.execute(
        f"""update tenures set ended_at = last_seen_at, available_since = null
            from {_SEEN} where {_SAME_NAME} and tenures.uid <> seen.uid and ended_at is null""",
        *_columns(sightings),
    )


_SEEN = """unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[])
    as seen (cluster, kind, namespace, name, uid, revision, available, restart_stamp)"""
_SAME_NAME = """tenures.cluster = seen.cluster and tenures.kind = seen.kind
    and tenures.namespace = seen.namespace and tenures.name = seen.name"""
_LATE = "last_seen_at < remediator_now() - make_interval(secs => $9)"

_AVAILABILITY = f"""
    available_since = case
        when not seen.available then null
        when available_since is null or {_LATE} then remediator_now()
        else available_since end,
    longest_available_seconds = case
        when not seen.available or available_since is null or {_LATE} then longest_available_seconds
        else greatest(longest_available_seconds, extract(epoch from remediator_now() - available_since)) end"""

_MOST = 100
"""So many restarts and times without a look are kept of one tenure; of what was before the oldest nothing is known."""

_RESTARTED = "watched_since is not null and tenures.restart_stamp is distinct from seen.restart_stamp"
_UNWATCHED = "watched_until < remediator_now() - make_interval(secs => $9)"
_HINDSIGHT = f"""
    watched_until = remediator_now(),
    restart_stamp = seen.restart_stamp,
    restarts = case
        when not ({_RESTARTED}) then restarts
        when cardinality(restarts) < {_MOST} then restarts || remediator_now()
        else restarts[2:] || remediator_now() end,
    unseen = case
        when watched_since is null or not {_UNWATCHED} then unseen
        when cardinality(unseen) < {_MOST} then unseen || tstzrange(watched_until, remediator_now())
        else unseen[2:] || tstzrange(watched_until, remediator_now()) end,
    watched_since = greatest(
        coalesce(watched_since, remediator_now()),
        case when {_RESTARTED} and cardinality(restarts) >= {_MOST} then restarts[1] end,
        case when {_UNWATCHED} and cardinality(unseen) >= {_MOST} then upper(unseen[1]) end)"""


def _columns(sightings: Sequence[Sighting]) -> list[list[str] | list[bool]]:
    """The columns of `_SEEN`."""
    return [
        [each.target.cluster for each in sightings],
        [each.target.kind for each in sightings],
        [each.target.namespace for each in sightings],
        [each.target.name for each in sightings],
        [each.uid for each in sightings],
        [each.revision for each in sightings],
        [each.available for each in sightings],
        [each.restart_stamp for each in sightings],
    ]
