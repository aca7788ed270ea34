"""How alerts of the last weeks ended: by a change of ours, by people, or by themselves, and how long that took."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, get_args

from remediator.domain.value import Value
from remediator.store.acted_runs import EFFECT
from remediator.store.clusters import ANOTHER_CLUSTER
from remediator.store.database import Connection

By = Literal["remediator", "people", "itself", "unknown"]
"""Who ended an alert; `unknown` is also what we changed without seeing that it helped."""

_MOST = 1000
"""Alerts that are judged, the newest: a storm must not make the question slow."""
_LOOKED_AT = 5 * _MOST
"""Alerts among which those are looked for: about nothing that has a name there may be any number."""


class Recoveries(Value):
    """Alerts about workloads that ended, by who ended them."""

    by: By
    alerts: int
    to_recovery: tuple[float, ...]
    """Seconds from an alert's first notice until it ended, at each quantile that was asked for; empty of none."""
    to_effect: tuple[float, ...]
    """The same until our first change was made; empty where there was none."""


_ENDED = f"""
with closed as (
    select * from episodes
    where closed_at > remediator_now() - $1::interval and closed_at is not null and incident_id is not null
    order by closed_at desc limit {_LOOKED_AT}
), ended as (
    select e.id, e.opened_at, i.cluster, i.kind, i.namespace, i.name,
           greatest(e.opened_at, case e.closed_because when 'vanished' then coalesce(e.absent_since, e.closed_at)
                                 else coalesce(e.ends_at, e.closed_at) end) as ended_at
    from closed e join incidents i on i.id = e.incident_id
    where e.closed_because not in ('restarted', $2) and i.name is not null
    order by e.closed_at desc limit {_MOST}
), judged as (
    select extract(epoch from ended_at - opened_at)::float8 as to_recovery,
           extract(epoch from greatest(ours.at - opened_at, interval '0'))::float8 as to_effect,
           case when ours.at is not null then case when ours.helped then 'remediator' else 'unknown' end
                when watched.deeds then 'people' when watched.throughout then 'itself' else 'unknown' end as by
    from ended e
    left join lateral (
        select min(coalesce(a.outcome_at, a.intended_at)) as at, bool_or(r.state = 'RESOLVED') as helped
        from attempts a join runs r on r.id = a.run_id
        where (a.cluster, a.kind, a.namespace, a.name) = (e.cluster, e.kind, e.namespace, e.name)
          and a.outcome in {EFFECT} and a.intended_at between e.opened_at and e.ended_at) ours on true
    left join lateral (
        select bool_or(t.began_at > e.opened_at and t.began_at <= e.ended_at
                       or exists (select 1 from unnest(t.restarts) as at
                                  where at > e.opened_at and at <= e.ended_at)) as deeds,
               bool_or(t.watched_since <= e.opened_at and coalesce(t.watched_until, t.last_seen_at) >= e.ended_at
                       and not exists (select 1 from unnest(t.unseen) as gap
                                       where gap && tstzrange(e.opened_at, e.ended_at))) as throughout
        from tenures t
        where (t.cluster, t.kind, t.namespace, t.name) = (e.cluster, e.kind, e.namespace, e.name)) watched on true
)
select by, count(*) as alerts,
       percentile_disc($3::float8[]) within group (order by to_recovery) as to_recovery,
       percentile_disc($3::float8[]) within group (order by to_effect) as to_effect
from judged group by by
"""


async def recoveries(connection: Connection, past: timedelta, quantiles: Sequence[float]) -> list[Recoveries]:
    """Each way for alerts to end, with those that ended so within `past`, of the newest thousand; also where none did.

    The thousand are looked for among the newest five thousand that belong to an incident.

    People are who set another version or restarted the workload meanwhile, as far as the memory saw it. Left
    out is what began anew while it was open, or was closed with another cluster's database: nobody knows when it ended.
    """
    rows = await connection.fetch(_ENDED, past, ANOTHER_CLUSTER, list(quantiles))
    found = {
        row["by"]: Recoveries(
            by=row["by"],
            alerts=row["alerts"],
            to_recovery=_told(row["to_recovery"]),
            to_effect=_told(row["to_effect"]),
        )
        for row in rows
    }
    nothing = {by: Recoveries(by=by, alerts=0, to_recovery=(), to_effect=()) for by in get_args(By)}
    return list({**nothing, **found}.values())


def _told(quantiles: Sequence[float | None] | None) -> tuple[float, ...]:
    """PostgreSQL has nothing, or nothing at each quantile, where there was nothing to order."""
    return tuple(each for each in quantiles or () if each is not None)
