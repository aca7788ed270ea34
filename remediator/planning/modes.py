"""How far each rule may go now: one question to the database for all of them."""

from collections.abc import Iterable, Sequence

from remediator.domain.rule_mode import Cap, RuleMode, rule_mode
from remediator.planning.policy import Policy
from remediator.rulebook.rule import Rule
from remediator.store import rule_versions
from remediator.store.database import Connection


async def modes_of(
    connection: Connection,
    rules: Iterable[Rule],
    policy: Policy,
    namespace: str | None = None,
    beside: Sequence[Cap] = (),
) -> dict[str, RuleMode]:
    """The mode of each rule by its name, on targets in `namespace` or wherever that is; `beside` holds all of them."""
    asked = tuple(rules)
    now = await connection.fetchval("select remediator_now()")
    standings = await rule_versions.standings(connection, [each.digest for each in asked])
    ceilings = [*policy.caps(namespace), *beside]
    return {
        each.rule: rule_mode(each.rule, each.mode, ceilings, standings[each.digest], policy.probation, now)
        for each in asked
    }
