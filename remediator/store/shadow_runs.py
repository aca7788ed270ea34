"""What was decided in shadow, and what the database knows of what happened to each target afterwards."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.store.clusters import ANOTHER_CLUSTER
from remediator.store.database import Connection
from remediator.store.rule_versions import VERSIONS


class Wanted(Value):
    """The version that a plan would have set, and the one it would have left."""

    from_revision: str
    to_revision: str

    @property
    def restarts(self) -> bool:
        """Whether it sets no other version: the pods are only made anew."""
        return self.from_revision == self.to_revision

    @property
    def keeps_the_template(self) -> bool:
        """Whether it scales, or evicts a pod: of what people do of that, the memory tells nothing."""
        return self.to_revision == "evicted" or self.to_revision.startswith("replicas/")


class ShadowRun(Value):
    """One look of a rule in shadow at one alert, and what came of the alert."""

    id: int
    rule: str
    target: Target
    incident_id: int
    episode_id: int | None
    """None when what is stored of its alert is gone."""
    received_at: datetime | None
    """When the alert was first received."""
    decided_at: datetime
    """When it would have acted."""
    cleared_at: datetime | None
    """When the alert was over; None while it is open, and where nobody can tell."""
    open: bool
    """Whether the alert still is."""
    wanted: Wanted | None
    """None when the action found nothing to propose."""
    stopped_by: tuple[str, ...]
    """The guards that would not have allowed it."""
    asks: bool
    """Whether a person would have been asked."""
    more_alerts: int
    """How many alerts began on the target, or in its incident, within the window after the decision."""
    more_ended_at: datetime | None
    """When the last of them was over; None while one is open, and where there are none."""
    own_effects: int
    """How many changes of our own the memory may have seen on the target between the decision and the alert's end."""


class WatchedTenure(Value):
    """What the memory saw of one version of one workload, and when it looked."""

    target: Target
    revision: str
    began_at: datetime
    since: datetime | None
    """None where only a version of this program looked that kept neither restarts nor times without a look."""
    until: datetime
    """The last look that kept them."""
    unseen: tuple[tuple[datetime, datetime], ...]
    """Times between two looks that were too long."""
    restarts: tuple[datetime, ...]
    """The looks that found it restarted."""


_VERSIONS = VERSIONS.format(digests="$1")
_SHADOWED = """r.mode = 'shadow' and r.state = 'SHADOWED' and r.trigger->>'kind' = 'alert'
      and r.ended_at > remediator_now() - $2::interval"""

_RUNS = f"""
with recursive {_VERSIONS}, looks as (
select r.id, r.rule, r.incident_id, r.cluster, r.kind, r.namespace, r.name, r.ended_at as decided_at,
       e.id as episode_id, e.opened_at as received_at, e.id is not null and e.closed_at is null as open, e.cleared_at,
       p.from_revision, p.to_revision,
       array(select distinct j.details->>'guard' from journal j
             where j.run_id = r.id and j.kind = 'guard' and j.details->>'answer' in ('refuse', 'unknown')
             order by 1) as stopped_by,
       exists (select 1 from journal j where j.run_id = r.id
                 and (j.kind = 'guard' and j.details->>'answer' = 'ask'
                      or j.kind = 'proposed' and j.details->'ask_because' <> '[]')) as asks,
       more.alerts as more_alerts, more.ended_at as more_ended_at,
       (select count(*) from attempts a
        where (a.cluster, a.kind, a.namespace, a.name) = (r.cluster, r.kind, r.namespace, r.name)
          and a.outcome is distinct from 'not_applied'
          and a.intended_at >= r.created_at - $5::interval and a.intended_at <= e.cleared_at) as own_effects
from runs r
left join lateral (
    select id, opened_at, closed_at,
           case closed_because when 'vanished' then coalesce(absent_since, closed_at)
                               when 'restarted' then null when $4::text then null
                               else coalesce(ends_at, closed_at) end as cleared_at
    from episodes
    where source = r.trigger->>'source' and fingerprint = r.trigger->>'fingerprint' and opened_at <= r.created_at
    order by id desc limit 1) e on true
left join lateral (
    select count(*) as alerts, case when bool_and(o.closed_at is not null) then max(o.closed_at) end as ended_at
    from episodes o
    where (o.target = concat_ws('/', r.kind, r.namespace, r.name) or o.incident_id = r.incident_id)
      and o.id is distinct from e.id
      and o.opened_at > r.ended_at and o.opened_at <= r.ended_at + $3::interval) more on true
left join lateral (
    select details->>'from_revision' as from_revision, details->>'to_revision' as to_revision from journal
    where run_id = r.id and kind = 'proposed'
    order by details->>'to_revision' = 'evicted', id desc limit 1) p on r.plan is not null
where r.rule_digest in (select digest from versions) and {_SHADOWED}
), first as (
    select distinct on (rule, incident_id) * from looks
    order by rule, incident_id, case when to_revision is null then 2 when stopped_by <> '{{}}' then 1 else 0 end, id
)
select * from first order by id desc limit $6
"""
"""One look of a rule for each incident: the first that would have acted, else the first with a plan, else the first.
While an incident goes on, a rule in shadow looks again and again, and would have acted once.

Nobody knows when an alert ended that began anew while it was open, or was closed with another cluster's database."""

_OF_OTHER_VERSIONS = f"""
with recursive {_VERSIONS}
select r.rule, count(*) as runs from runs r
where r.rule = any($3::text[]) and r.rule_digest not in (select digest from versions) and {_SHADOWED}
group by r.rule
"""

_TENURES = """
select t.cluster, t.kind, t.namespace, t.name, t.revision, t.began_at, t.watched_since as since,
       coalesce(t.watched_until, t.last_seen_at) as until, t.restarts,
       array(select lower(gap) from unnest(t.unseen) as gap) as gaps_begin,
       array(select upper(gap) from unnest(t.unseen) as gap) as gaps_end
from tenures t
where (t.cluster, t.kind, t.namespace, t.name) in (
          select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]))
  and t.last_seen_at > remediator_now() - $5::interval
order by t.id
"""


async def of_rules(
    connection: Connection,
    digests: Collection[str],
    past: timedelta,
    window: timedelta,
    seen_late: timedelta,
    most: int,
) -> list[ShadowRun]:
    """What alerts led these versions of rules to, and those they only narrow: one look for each incident, oldest first.

    `seen_late` is how long after a change the memory may have seen it. Of more than `most`, the newest.
    """
    rows = await connection.fetch(_RUNS, sorted(digests), past, window, ANOTHER_CLUSTER, seen_late, most)
    return [_run(row) for row in reversed(rows)]


async def of_other_versions(
    connection: Connection, digests: Collection[str], past: timedelta, rules: Collection[str]
) -> dict[str, int]:
    """How many looks of these rules were made by other versions of them, which say nothing about these."""
    rows = await connection.fetch(_OF_OTHER_VERSIONS, sorted(digests), past, sorted(rules))
    return {row["rule"]: row["runs"] for row in rows}


async def tenures_of(
    connection: Connection, targets: Sequence[Target], past: timedelta
) -> list[WatchedTenure]:
    """What the memory saw of these workloads within this time, oldest first."""
    rows = await connection.fetch(
        _TENURES,
        [each.cluster for each in targets],
        [each.kind for each in targets],
        [each.namespace for each in targets],
        [each.name for each in targets],
        past,
    )
    return [_tenure(row) for row in rows]


def _run(row: Any) -> ShadowRun:
    wanted = None
    if row["to_revision"] is not None:
        wanted = Wanted(from_revision=row["from_revision"], to_revision=row["to_revision"])
    named = (
        "id",
        "rule",
        "incident_id",
        "episode_id",
        "received_at",
        "decided_at",
        "cleared_at",
        "open",
        "asks",
    )
    return ShadowRun(
        **{name: row[name] for name in (*named, "stopped_by", "more_alerts", "more_ended_at", "own_effects")},
        target=_target(row),
        wanted=wanted,
    )


def _tenure(row: Any) -> WatchedTenure:
    named = ("revision", "began_at", "since", "until", "restarts")
    return WatchedTenure(
        **{name: row[name] for name in named},
        target=_target(row),
        unseen=tuple(zip(row["gaps_begin"], row["gaps_end"], strict=True)),
    )


def _target(row: Any) -> Target:
    return Target(cluster=row["cluster"], kind=row["kind"], namespace=row["namespace"], name=row["name"])
