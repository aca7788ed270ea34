"""How often rules had runs, how many of these were refused, and by what, for the digest."""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import Field

from remediator.domain.value import Value
from remediator.store.database import Connection


class RuleUse(Value):
    """What alerts led one rule to, whatever its version."""

    rule: str
    known_since: datetime | None = None
    """When the first version of it was loaded."""
    runs: int = 0
    """That have ended."""
    refused: int = 0
    """Of these, those that nothing ever let go on: an action found nothing to propose, or guards said no."""
    refused_by: dict[str, int] = Field(default_factory=dict)
    """By action or guard, in how many of these runs it said no; one may be refused by several."""
    unknown_by: dict[str, int] = Field(default_factory=dict)
    """The same where a guard could not know."""


_USE = """
with ended as (
    select r.id, r.rule, r.state, r.plan is null as without_plan, r.why,
           exists (select 1 from attempts a where a.run_id = r.id)
           or exists (select 1 from journal j where j.run_id = r.id and j.kind = 'state'
                                                and j.details->>'to' = 'CLEARED') as cleared
    from runs r
    where r.rule = any($1::text[]) and r.ended_at > remediator_now() - $2::interval
      and r.trigger->>'kind' = 'alert'
), said as (
    select e.id, e.rule, j.details->>'answer' as answer, j.details->>'guard' as guard
    from ended e join journal j on j.run_id = e.id and j.kind = 'guard'
    where not e.cleared and j.details->>'answer' in ('refuse', 'unknown')
    group by 1, 2, 3, 4
    union
    select id, rule, 'refuse', left(split_part(why, ':', 1), 80) from ended
    where not cleared and without_plan and state in ('BLOCKED', 'SHADOWED')
), counted as (
    select rule, answer, guard, count(*) as runs from said group by 1, 2, 3
)
select n.rule, (select min(v.first_seen) from rule_versions v where v.rule = n.rule) as known_since,
       (select count(*) from ended e where e.rule = n.rule) as runs,
       (select count(distinct s.id) from said s where s.rule = n.rule) as refused,
       (select coalesce(jsonb_object_agg(c.guard, c.runs), '{}') from counted c
        where c.rule = n.rule and c.answer = 'refuse') as refused_by,
       (select coalesce(jsonb_object_agg(c.guard, c.runs), '{}') from counted c
        where c.rule = n.rule and c.answer = 'unknown') as unknown_by
from unnest($1::text[]) as n (rule)
"""


async def of_rules(connection: Connection, rules: Collection[str], past: timedelta) -> dict[str, RuleUse]:
    """Of each of these rules, by its name."""
    rows = await connection.fetch(_USE, list(rules), past)
    return {row["rule"]: RuleUse(**row) for row in rows}
