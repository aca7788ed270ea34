"""Versions of rules this database has seen, which of them may act, and why."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from remediator.domain.rule_mode import Cap, Standing
from remediator.domain.value import Value
from remediator.rulebook.narrowing import widened
from remediator.rulebook.rule import LoadedRule
from remediator.store.database import Connection


class RuleVersion(Value):
    """One version of one rule, named by the digest of what it may do."""

    digest: str
    rule: str
    first_seen: datetime
    approved_at: datetime | None
    approved_by: str | None


VERSIONS = """
versions as (
    select digest, inherits_from from rule_versions where digest = any({digests}::text[])
    union
    select v.digest, v.inherits_from from rule_versions v join versions w on v.digest = w.inherits_from
)"""
"""For a query `with recursive`: these versions, and those whose standing they took over, which they only narrow."""

_UNWATCHED = timedelta(hours=1)
"""What passes between two looks counts as watched up to this: a restart takes less."""


async def watched(connection: Connection, probation: timedelta) -> None:
    """A daemon looks at alerts now: what is on probation was seen, and what passed with nobody looking is put off.

    A week in which every daemon was down has shown nothing about a rule.
    """
    await connection.execute(
        """update rule_versions set seen_at = remediator_now(), probation_since = probation_since +
                  case when remediator_now() - seen_at > $2 then remediator_now() - seen_at else interval '0' end
           where approved_at is null and seen_at < remediator_now() and probation_since + $1 > seen_at""",
        probation,
        _UNWATCHED,
    )


async def loaded(
    connection: Connection, rules: Sequence[LoadedRule], looking: Collection[str], probation: timedelta
) -> None:
    """These are in force now; call within a transaction. `looking` are the digests of those not in mode off.

    Call `watched` before. A version without standing takes over that of the version loaded last, if it only
    narrows it; else its probation begins. Where a probation was not over, a version that is not loaded any more
    has none.
    """
    # Replicas reload at the same moment: each must see what the other made of it.
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('rule_versions', 0))")
    for rule in rules:
        await connection.execute(
            """insert into rule_versions (digest, rule, content) values ($1, $2, $3)
               on conflict (digest) do update set content = excluded.content""",
            rule.digest,
            rule.rule,
            rule.model_dump(mode="json"),
        )
        await _inherit(connection, rule)
    await connection.execute(
        """update rule_versions set
               probation_since = coalesce(probation_since, remediator_now()),
               seen_at = coalesce(seen_at, remediator_now())
           where digest = any($1::text[]) and approved_at is null""",
        list(looking),
    )
    await connection.execute(
        """update rule_versions set probation_since = null, seen_at = null
           where digest <> all($1::text[]) and approved_at is null
             and probation_since + $2 > remediator_now()""",
        list(looking),
        probation,
    )
    await connection.execute(
        "update rule_versions set loaded_at = remediator_now() where digest = any($1::text[])",
        [rule.digest for rule in rules],
    )


async def _inherit(connection: Connection, rule: LoadedRule) -> None:
    """Take over the standing of the version of the same rule that was loaded last, if this one only narrows it."""
    last: Any = await connection.fetchrow(
        """select digest, content from rule_versions
           where rule = $1 and loaded_at is not null and content is not null
           order by loaded_at desc, first_seen desc, digest limit 1""",
        rule.rule,
    )
    if last is None or last["digest"] == rule.digest:
        return
    if not _only_narrows(rule, last["content"]):
        return
    await connection.execute(
        """update rule_versions mine
           set probation_since = last.probation_since, seen_at = last.seen_at, approved_at = last.approved_at,
               approved_by = last.approved_by, inherits_from = last.digest
           from rule_versions last
           where mine.digest = $1 and last.digest = $2
             and mine.approved_at is null and mine.probation_since is null
             and (last.approved_at is not null or last.probation_since is not null)""",
        rule.digest,
        last["digest"],
    )


def _only_narrows(rule: LoadedRule, before: Any) -> bool:
    """Whether it lets nothing happen that the version before did not. What cannot be read any more let nothing."""
    try:
        return not widened(LoadedRule.model_validate(before), rule)
    except ValidationError:
        return False


async def standings(connection: Connection, digests: Sequence[str]) -> dict[str, Standing]:
    """What is known of these versions; one that was never loaded stands nowhere."""
    rows = await connection.fetch(
        """select v.digest, v.probation_since, v.approved_at, v.approved_by, v.inherits_from,
                  d.mode as demoted_to, d.why as demoted_why
           from rule_versions v left join lateral (
               select mode, why from demotions
               where rule = v.rule and (v.approved_at is null or demoted_at > v.approved_at)
               order by mode = 'shadow' desc, id desc limit 1) d on true
           where v.digest = any($1::text[])""",
        list(digests),
    )
    return {each: Standing(digest=each) for each in digests} | {row["digest"]: _standing(row) for row in rows}


async def approve(connection: Connection, digest: str, who: str) -> RuleVersion | None:
    """A person says this version may act from now on. None when no such version was ever loaded.

    It ends a probation, and every demotion there was before.
    """
    row = await connection.fetchrow(
        """update rule_versions set approved_at = remediator_now(), approved_by = $2, inherits_from = null
           where digest = $1 returning digest, rule, first_seen, approved_at, approved_by""",
        digest,
        who,
    )
    return None if row is None else RuleVersion(**row)


def _standing(row: Any) -> Standing:
    demoted = row["demoted_to"]
    return Standing(
        digest=row["digest"],
        probation_since=row["probation_since"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        inherits_from=row["inherits_from"],
        demoted=None if demoted is None else Cap(mode=demoted, why=row["demoted_why"], by="demoted"),
    )
