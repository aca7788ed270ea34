"""Runs that alerts made and that changed something: whether that held."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from remediator.domain.value import Value
from remediator.store.database import Connection
from remediator.store.rule_versions import VERSIONS

EFFECT = "('applied', 'applied_then_changed', 'unknown')"
"""Outcomes of attempts that changed something, or may have."""

ACTED = f"""
acted as (
    select r.*, r.kind || '/' || r.namespace || '/' || r.name as target,
           (select min(intended_at) from attempts a where a.run_id = r.id and a.outcome in {EFFECT}) as first_at
    from runs r
    where r.trigger->>'kind' = 'alert' and r.mode <> 'shadow' and r.state in ('RESOLVED', 'ESCALATED')
      and not exists (select 1 from runs u where (u.trigger->>'undo_of')::bigint = r.id and u.mode <> 'shadow')
      and r.ended_at > remediator_now() - $1::interval - $2::interval
      {{on_one_target}}
), judged as (
    select acted.*, case when state <> 'ESCALATED' then back.at end as back_at
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
        join attempts tried on tried.run_id = n.id and tried.outcome in {EFFECT}
        where (n.cluster, n.kind, n.namespace, n.name) = (acted.cluster, acted.kind, acted.namespace, acted.name)
          and n.id > acted.id and n.rule = acted.rule and n.mode <> 'shadow' and n.trigger->>'kind' = 'alert'
          and n.created_at <= acted.ended_at + $2::interval
        order by at nulls last limit 1) back on true
    where first_at is not null
)"""
"""Runs of the last `$1` that changed something, and when their alert was back within `$2`.

What a person has undone is left out: whether it would have helped, nobody knows.
"""


_NOT_HELPED = """(select l.details->>'helped' from journal l
    where l.run_id = j.id and l.kind = 'state' and l.details->>'from' = 'ACTED'
    order by l.id desc limit 1) is not distinct from 'false'"""
"""Whether a verification said so of the last change that was verified. Other runs end ESCALATED as well: what could not
be verified, what somebody changed on, what a person settled."""

SEQUELS = ("held", "came_back", "not_helped", "unknown", "too_early")
"""What may have become of a change: the fields of a Record."""

_COUNTS = ", ".join(f"count(*) filter (where how = '{how}') as {how}" for how in SEQUELS)

_HOW = f"""case when j.ended_at + $2::interval > remediator_now() then 'too_early'
                            when j.state = 'ESCALATED' then case when {_NOT_HELPED} then 'not_helped' else 'unknown' end
                            when j.back_at is not null then 'came_back' else 'held' end"""


class Record(Value):
    """What became of the changes that one rule made, since it was last approved."""

    rule: str
    approved_at: datetime | None
    held: int
    came_back: int
    not_helped: int
    """Verified, with the answer that it did not help."""
    unknown: int
    """Left to people without anybody knowing whether it helped."""
    too_early: int
    """Ended so lately that an alert may still come back. However it ended: failures are known at once, and would
    outnumber for that long what is known to have held."""

    @property
    def known(self) -> int:
        """How many are known to have held or not."""
        return self.held + self.came_back + self.not_helped


async def records(
    connection: Connection, digests: Collection[str], past: timedelta, came_back_within: timedelta
) -> list[Record]:
    """Of these versions of rules, and those they only narrow, that changed something within this time; by name.

    What another version of a rule did says nothing about this one.
    """
    rows = await connection.fetch(
        f"""with recursive {VERSIONS.format(digests="$3")}, {ACTED.format(on_one_target="")}, counted as (
                select j.*, v.approved_at,
                       {_HOW} as how
                from judged j left join lateral (
                    select approved_at from rule_versions where rule = j.rule and loaded_at is not null
                    order by loaded_at desc limit 1) v on true
                where j.ended_at > remediator_now() - $1::interval
                  and j.rule_digest in (select digest from versions)
                  and j.first_at > coalesce(v.approved_at, '-infinity'))
            select rule, approved_at, {_COUNTS}
            from counted group by rule, approved_at order by rule""",
        past,
        came_back_within,
        sorted(digests),
    )
    return [Record(**row) for row in rows]


async def sequels(
    connection: Connection, past: timedelta, came_back_within: timedelta
) -> dict[str, dict[str, int]]:
    """By rule, whatever its version: how many of its changes within this time came to each of SEQUELS."""
    rows = await connection.fetch(
        f"""with {ACTED.format(on_one_target="")}
            select rule, {_COUNTS} from (
                select j.rule, {_HOW} as how from judged j
                where j.ended_at > remediator_now() - $1::interval) as told
            group by rule""",
        past,
        came_back_within,
    )
    return {row["rule"]: {how: row[how] for how in SEQUELS} for row in rows}


async def verified_after(
    connection: Connection, rules: Sequence[str], past: timedelta
) -> dict[str, list[timedelta]]:
    """How long it took, from the change on, until what these rules changed was verified; each time there was."""
    rows = await connection.fetch(
        f"""with {ACTED.format(on_one_target="")}
            select rule, ended_at - first_at as took from judged
            where state = 'RESOLVED' and rule = any($3::text[]) order by id""",
        past,
        timedelta(0),
        list(rules),
    )
    found: dict[str, list[timedelta]] = {}
    for row in rows:
        found.setdefault(row["rule"], []).append(row["took"])
    return found
