"""Versions of rules this database has seen, and who approved which."""

from datetime import datetime, timedelta

from remediator.domain.value import Value
from remediator.rulebook.rule import Rule
from remediator.store.database import Connection


class RuleVersion(Value):
    """One version of one rule, named by the digest of what it may do."""

    digest: str
    rule: str
    first_seen: datetime
    approved_at: datetime | None
    approved_by: str | None


async def saw(connection: Connection, rules: tuple[Rule, ...]) -> None:
    """Remember when each version was first loaded; its probation counts from there."""
    for rule in rules:
        await connection.execute(
            "insert into rule_versions (digest, rule) values ($1, $2) on conflict (digest) do nothing",
            rule.digest,
            rule.rule,
        )


async def may_act(connection: Connection, rule: Rule, probation: timedelta) -> bool:
    """Whether a person approved this version, or its probation in shadow is over."""
    answer = await connection.fetchval(
        """select approved_at is not null or first_seen + $2 <= remediator_now()
           from rule_versions where digest = $1""",
        rule.digest,
        probation,
    )
    return bool(answer)


async def approve(connection: Connection, digest: str, who: str) -> RuleVersion | None:
    """A person says this version may act. None when no such version was ever loaded."""
    row = await connection.fetchrow(
        """update rule_versions set approved_at = coalesce(approved_at, remediator_now()),
                                    approved_by = coalesce(approved_by, $2)
           where digest = $1 returning digest, rule, first_seen, approved_at, approved_by""",
        digest,
        who,
    )
    return None if row is None else RuleVersion(**row)


async def every(connection: Connection) -> list[RuleVersion]:
    """All versions ever seen, newest first."""
    rows = await connection.fetch(
        """select digest, rule, first_seen, approved_at, approved_by from rule_versions
           order by first_seen desc, digest"""
    )
    return [RuleVersion(**row) for row in rows]
