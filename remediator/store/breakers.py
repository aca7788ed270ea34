"""Breakers: what failed on which target, and the times in which only people act there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from remediator.domain.breaker import BreakerState, Failure, Opening, told
from remediator.domain.target import Target
from remediator.redaction.text import redact
from remediator.settings.sections import Breakers
from remediator.store.acted_runs import ACTED, EFFECT
from remediator.store.database import Connection

_OPENING = """id, kind || '/' || namespace || '/' || name as target, opened_at, until, why, rules,
              closed_at, closed_by, closed_why"""
LAST_APPROVAL = """(select approved_at from rule_versions where rule = $1 and loaded_at is not null
    order by loaded_at desc limit 1)"""
"""When the version of the rule `$1` that is in force was approved; null when nobody did."""
_IS_OPEN = "closed_at is null and until > remediator_now()"
_ON_ONE_TARGET = "and r.cluster = $3 and r.kind = $4 and r.namespace = $5 and r.name = $6"
_FAILURES = f"""
with {ACTED}, failed as (
    select judged.*, case state when 'ESCALATED' then ended_at else back_at end as failed_at from judged
)
select f.id as run_id, f.rule, f.target, f.incident_id, f.first_at as acted_at, f.failed_at,
       case f.state when 'ESCALATED' then 'escalated' else 'came_back' end as how,
       f.cluster, f.kind, f.namespace, f.name,
       array(select a.action from attempts a where a.run_id = f.id and a.outcome in {EFFECT} order by a.id) as tried
from failed f
where f.failed_at > remediator_now() - $1::interval
  and f.failed_at > coalesce(
      (select max(least(o.until, o.closed_at)) from breaker_openings o
       where (o.cluster, o.kind, o.namespace, o.name) = (f.cluster, f.kind, f.namespace, f.name)), '-infinity')
order by f.failed_at, f.id
"""
"""Failures that count: newer than the last time the breaker was open, and within the window."""


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


async def had_part_in(connection: Connection, rule: str, within: timedelta) -> list[Opening]:
    """The openings that a rule had part in since it was last approved, oldest first."""
    rows = await connection.fetch(
        f"""select {_OPENING} from breaker_openings
            where $1 = any(rules) and opened_at > remediator_now() - $2::interval
              and opened_at > coalesce({LAST_APPROVAL}, '-infinity')
            order by id""",
        rule,
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
