"""Breakers: what failed on which target, and the times in which only people act there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from remediator.domain.breaker import BreakerState, Failure, Opening, told
from remediator.domain.rule_mode import Cap
from remediator.domain.target import Target
from remediator.redaction.text import redact
from remediator.settings.sections import Breakers
from remediator.store.database import Connection

_OPENING = """id, kind || '/' || namespace || '/' || name as target, opened_at, until, why, rules,
              closed_at, closed_by, closed_why"""
_IS_OPEN = "closed_at is null and until > remediator_now()"
_EFFECT = "('applied', 'applied_then_changed', 'unknown')"

_ON_ONE_TARGET = "and r.cluster = $3 and r.kind = $4 and r.namespace = $5 and r.name = $6"
_FAILURES = f"""
with acted as (
    select r.*, r.kind || '/' || r.namespace || '/' || r.name as target,
           (select min(intended_at) from attempts a where a.run_id = r.id and a.outcome in {_EFFECT}) as first_at
    from runs r
    where r.trigger->>'kind' = 'alert' and r.mode <> 'shadow' and r.state in ('RESOLVED', 'ESCALATED')
      and not exists (select 1 from runs u where (u.trigger->>'undo_of')::bigint = r.id and u.mode <> 'shadow')
      and r.ended_at > remediator_now() - $1::interval - $2::interval
      {{on_one_target}}
), failed as (
    select acted.*, case state when 'ESCALATED' then ended_at else back.at end as failed_at
    from acted left join lateral (
        select min(e.opened_at) as at from episodes e
        where e.target = acted.target and e.opened_at > acted.ended_at
          and e.opened_at <= acted.ended_at + $2::interval
          and e.alertname in (select b.alertname from episodes b
                              where (b.run_id = acted.id or b.source = acted.trigger->>'source'
                                     and b.fingerprint = acted.trigger->>'fingerprint')
                                and b.opened_at <= acted.ended_at)
        union all
        select min(tried.intended_at) from runs n
        join attempts tried on tried.run_id = n.id and tried.outcome in {_EFFECT}
        where (n.cluster, n.kind, n.namespace, n.name) = (acted.cluster, acted.kind, acted.namespace, acted.name)
          and n.id > acted.id and n.rule = acted.rule and n.mode <> 'shadow' and n.trigger->>'kind' = 'alert'
          and n.created_at <= acted.ended_at + $2::interval
        order by at nulls last limit 1) back on true
    where first_at is not null
)
select f.id as run_id, f.rule, f.target, f.incident_id, f.first_at as acted_at, f.failed_at,
       case f.state when 'ESCALATED' then 'escalated' else 'came_back' end as how,
       f.cluster, f.kind, f.namespace, f.name,
       array(select a.action from attempts a where a.run_id = f.id and a.outcome in {_EFFECT} order by a.id) as tried
from failed f
where f.failed_at > remediator_now() - $1::interval
  and f.failed_at > coalesce(
      (select max(least(o.until, o.closed_at)) from breaker_openings o
       where (o.cluster, o.kind, o.namespace, o.name) = (f.cluster, f.kind, f.namespace, f.name)), '-infinity')
order by f.failed_at, f.id
"""
"""Failures that count: newer than the last time the breaker was open, and within the window.

What a person has undone is left out: whether it would have helped, nobody knows.
"""


async def of_target(connection: Connection, target: Target, rule: Breakers) -> BreakerState:
    """A target's breaker now."""
    named = (target.cluster, target.kind, target.namespace, target.name)
    row = await connection.fetchrow(
        f"""select {_OPENING} from breaker_openings
            where (cluster, kind, namespace, name) = ($1, $2, $3, $4) and {_IS_OPEN} order by id desc limit 1""",
        *named,
    )
    if row is not None:
        return BreakerState(opening=Opening(**row), opens_at=rule.failures)
    rows = await connection.fetch(
        _FAILURES.format(on_one_target=_ON_ONE_TARGET), rule.per, rule.came_back_within, *named
    )
    return BreakerState(failures=tuple(_failure(each) for each in rows), opens_at=rule.failures)


async def open_due(connection: Connection, rule: Breakers) -> list[tuple[Opening, int]]:
    """Open the breakers of all targets with enough failures; each with the incident of the last one.

    Call within a transaction.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('breakers', 0))")
    rows = await connection.fetch(_FAILURES.format(on_one_target=""), rule.per, rule.came_back_within)
    by_target: dict[tuple[str, ...], list[Failure]] = {}
    for row in rows:
        named = (row["cluster"], row["kind"], row["namespace"], row["name"])
        by_target.setdefault(named, []).append(_failure(row))
    found = []
    for key, failures in by_target.items():
        if len(failures) >= rule.failures and not await _is_open(connection, key):
            found.append((await _open(connection, key, failures, rule), failures[-1].incident_id))
    return found


async def _open(
    connection: Connection, named: tuple[str, ...], failures: Sequence[Failure], rule: Breakers
) -> Opening:
    row = await connection.fetchrow(
        f"""insert into breaker_openings (cluster, kind, namespace, name, until, why, rules)
            values ($1, $2, $3, $4, remediator_now() + $5, $6, $7) returning {_OPENING}""",
        *named,
        rule.open_for,
        told(tuple(failures)),
        sorted({each.rule for each in failures}),
    )
    return _opening(row)


async def close(connection: Connection, target: Target, who: str, why: str) -> Opening | None:
    """A person says that acting may go on; None when the breaker is not open."""
    row = await connection.fetchrow(
        f"""update breaker_openings set closed_at = remediator_now(), closed_by = $5, closed_why = $6
            where (cluster, kind, namespace, name) = ($1, $2, $3, $4) and {_IS_OPEN} returning {_OPENING}""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        who,
        redact(why),
    )
    return None if row is None else _opening(row)


async def all_open(connection: Connection) -> list[Opening]:
    """Every breaker that is open, oldest first."""
    rows = await connection.fetch(f"select {_OPENING} from breaker_openings where {_IS_OPEN} order by id")
    return [_opening(row) for row in rows]


async def demote(connection: Connection, name: str, rule: Breakers) -> Cap | None:
    """Bring a rule down as far as its openings since its last approval say; within a transaction.

    What it was brought down to just now; None when it stays where it was.
    """
    openings = await _since_approval(connection, name, rule.demote_within)
    mode = (
        "shadow" if len(openings) >= 2 * rule.openings else "ask" if len(openings) >= rule.openings else None
    )
    if mode is None:
        return None
    targets = ", ".join(dict.fromkeys(each.target for each in openings))
    why = f"demoted: {len(openings)} times what it did opened a breaker ({targets}), until somebody approves it again"
    row = await connection.fetchrow(
        """insert into demotions (rule, mode, why) select $1, $2, $3
           where not exists (select 1 from demotions d where d.rule = $1 and d.mode in ($2, 'shadow')
                               and d.demoted_at >= $4)
           returning mode, why""",
        name,
        mode,
        why,
        openings[0].opened_at,
    )
    return None if row is None else Cap(**row)


async def _since_approval(connection: Connection, name: str, within: timedelta) -> Sequence[Opening]:
    approved_at: datetime | None = await connection.fetchval(
        """select approved_at from rule_versions where rule = $1 and loaded_at is not null
           order by loaded_at desc limit 1""",
        name,
    )
    rows = await connection.fetch(
        f"""select {_OPENING} from breaker_openings
            where $1 = any(rules) and opened_at > coalesce($2, '-infinity'::timestamptz)
              and opened_at > remediator_now() - $3::interval order by id""",
        name,
        approved_at,
        within,
    )
    return [_opening(row) for row in rows]


async def _is_open(connection: Connection, named: tuple[str, ...]) -> bool:
    found = await connection.fetchval(
        f"""select 1 from breaker_openings
            where (cluster, kind, namespace, name) = ($1, $2, $3, $4) and {_IS_OPEN} limit 1""",
        *named,
    )
    return found is not None


def _failure(row: Any) -> Failure:
    return Failure(**{name: row[name] for name in Failure.model_fields})


def _opening(row: Any) -> Opening:
    return Opening(**row)
