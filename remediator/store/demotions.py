"""Rules that are brought down because what they did failed, until a person approves them again."""

from collections.abc import Collection

from remediator.domain.confidence import share
from remediator.domain.rule_mode import Cap
from remediator.domain.value import Value
from remediator.settings.sections import Breakers
from remediator.store import acted_runs, breakers
from remediator.store.breakers import LAST_APPROVAL
from remediator.store.database import Connection


class Demotion(Value):
    """A rule that was just brought down."""

    id: int
    rule: str
    to: Cap


async def by_openings(connection: Connection, rule: str, limits: Breakers) -> Demotion | None:
    """Bring a rule down as far as its openings since its last approval say; within a transaction.

    None when it stays where it was.
    """
    openings = await breakers.had_part_in(connection, rule, limits.demote_within)
    if len(openings) < limits.openings:
        return None
    mode = "shadow" if len(openings) >= 2 * limits.openings else "ask"
    targets = ", ".join(dict.fromkeys(each.target for each in openings))
    why = f"{len(openings)} times what it did opened a breaker ({targets})"
    return await _bring_down(connection, rule, mode, why)


async def by_record(connection: Connection, digests: Collection[str], limits: Breakers) -> list[Demotion]:
    """Bring down those of these versions of rules of which it is sure that what they do seldom holds; in a transaction.

    Sure is what the upper end of the interval says, so that a few failures by chance bring nothing down. After twice
    as many changes a rule is brought down to shadow.
    """
    if limits.held is None:
        return []
    found = []
    for record in await acted_runs.records(
        connection, digests, limits.demote_within, limits.came_back_within
    ):
        counted = share(record.held, record.known)
        if counted.of < limits.acted or counted.high >= limits.held:
            continue
        mode = "shadow" if counted.of >= 2 * limits.acted else "ask"
        surely = f"which is surely fewer than {limits.held:.0%} (95 % interval: up to {counted.high:.0%})"
        why = f"of {counted.of} changes it made {counted.right} held, {surely}"
        demoted = await _bring_down(connection, record.rule, mode, why)
        found += [] if demoted is None else [demoted]
    return found


async def _bring_down(connection: Connection, rule: str, mode: str, because: str) -> Demotion | None:
    """None when it is down there already, by whatever happened since its last approval."""
    row = await connection.fetchrow(
        f"""insert into demotions (rule, mode, why) select $1, $2, $3
            where not exists (select 1 from demotions d where d.rule = $1 and d.mode in ($2, 'shadow')
                                and d.demoted_at > coalesce({LAST_APPROVAL}, '-infinity'))
            returning id, mode, why""",
        rule,
        mode,
        f"demoted: {because}, until somebody approves it again",
    )
    return (
        None
        if row is None
        else Demotion(id=row["id"], rule=rule, to=Cap(mode=row["mode"], why=row["why"], by="demoted"))
    )
