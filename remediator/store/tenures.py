"""Tenures: which revision of a workload was current when, and how long it was seen fully available."""

from datetime import datetime, timedelta

from remediator.domain.history import Tenure
from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value
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


async def remember(connection: Connection, seen: Sighting, unseen_after: float) -> None:
    """Extend the current tenure, or end it and begin another; call within a transaction.

    A stretch of availability is broken when the last look is more than `unseen_after` seconds ago:
    what was not seen is not availability.
    """
    target = seen.target
    current = await connection.fetchrow(
        """select id, revision, last_seen_at from tenures
           where cluster = $1 and kind = $2 and namespace = $3 and name = $4 and uid = $5 and ended_at is null
           for update""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        seen.uid,
    )
    if current is not None and current["revision"] == seen.revision:
        await _extend(connection, current["id"], seen.available, unseen_after)
        return
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


async def _extend(connection: Connection, tenure_id: int, available: bool, unseen_after: float) -> None:
    await connection.execute(
        """update tenures set
               available_since = case
                   when not $2 then null
                   when available_since is null
                     or last_seen_at < remediator_now() - make_interval(secs => $3) then remediator_now()
                   else available_since end,
               longest_available_seconds = case
                   when not $2 or available_since is null
                     or last_seen_at < remediator_now() - make_interval(secs => $3)
                   then longest_available_seconds
                   else greatest(longest_available_seconds,
                                 extract(epoch from remediator_now() - available_since)) end,
               last_seen_at = remediator_now()
           where id = $1""",
        tenure_id,
        available,
        unseen_after,
    )


async def _begin(connection: Connection, seen: Sighting, began_at: datetime, *, began_seen: bool) -> None:
    target = seen.target
    await connection.execute(
        """insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen,
                                available_since, last_seen_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then remediator_now() end, remediator_now())""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        seen.uid,
        seen.revision,
        seen.template,
        began_at,
        began_seen,
        seen.available,
    )


async def end_others(connection: Connection, target: Target, uid: str) -> None:
    """The object was deleted and made anew: the tenures of its earlier self are over."""
    await connection.execute(
        """update tenures set ended_at = last_seen_at, available_since = null
           where cluster = $1 and kind = $2 and namespace = $3 and name = $4 and uid <> $5 and ended_at is null""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        uid,
    )
