"""Tells people once when a rule may not go as far as its file says, and once when it may again."""

import logging
from collections.abc import Sequence
from datetime import datetime

from remediator.domain.notice import Notice
from remediator.domain.rule_mode import RuleMode
from remediator.domain.run_view import MODES
from remediator.domain.value import digest
from remediator.planning.rules_in_force import RulesInForce
from remediator.store import journal, loop_leases, outbox, rule_modes
from remediator.store.database import Database
from remediator.store.rule_modes import ToldMode

_log = logging.getLogger(__name__)

_LEASE_SECONDS = 60.0
_MOST_NAMED = 20


class Arming:
    """One unit of its work is one look at the modes of all rules.

    What was said is in the database, and one replica at a time says it, so that neither a restart nor a second
    replica says it again. What changed at one look is one notice: a ceiling disarms every rule at once.
    """

    def __init__(self, database: Database, rules: RulesInForce, owner: str, channels: Sequence[str]) -> None:
        self._database = database
        self._rules = rules
        self._owner = owner
        self._channels = tuple(channels)

    async def tick(self) -> bool:
        """Look once; never finds more to do at once."""
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "arming", self._owner, _LEASE_SECONDS):
                return False
        await self._rules.watched()
        modes = await self._rules.modes()
        async with self._database.transaction() as connection:
            told = await rule_modes.locked(connection)
            await rule_modes.forget(connection, list(told.keys() - {each.rule for each in modes}))
            changed = [each for each in modes if _differs(each, told.get(each.rule))]
            if not changed:
                return False
            await rule_modes.say(connection, changed)
            now: datetime = await connection.fetchval("select remediator_now()")
            for notice in _notices(changed, told, now):
                await journal.append(connection, "rule_mode", f"{notice.title}: {notice.text}")
                await outbox.enqueue(connection, self._channels, notice, None)
                _log.warning("%s: %s", notice.title, notice.text)
        return False


def _differs(mode: RuleMode, told: ToldMode | None) -> bool:
    return told is None or (told.configured, told.effective) != (mode.configured, mode.effective)


def _told_as_demoted(mode: RuleMode, told: ToldMode | None) -> bool:
    """Whether it came down because it was demoted, which the demotion itself tells."""
    demoted = mode.standing.demoted
    return (
        demoted is not None
        and told is not None
        and demoted.mode == mode.effective
        and MODES.index(told.effective) > MODES.index(mode.effective)
    )


def _notices(changed: Sequence[RuleMode], told: dict[str, ToldMode], now: datetime) -> list[Notice]:
    disarmed = [each for each in changed if each.disarmed and not _told_as_demoted(each, told.get(each.rule))]
    armed = [
        each
        for each in changed
        if not each.disarmed
        and each.configured in ("ask", "act")
        and (before := told.get(each.rule)) is not None
        and before.disarmed
    ]
    said = (("DISARMED", "may not go as far as", disarmed), ("ARMED", "may go as far again as", armed))
    return [_notice(word, meaning, rules, now) for word, meaning, rules in said if rules]


def _notice(word: str, meaning: str, rules: Sequence[RuleMode], now: datetime) -> Notice:
    lines = [
        f"{each.rule} is in mode {each.effective}, configured {each.configured}: {each.why}."
        for each in rules[:_MOST_NAMED]
    ]
    if len(rules) > _MOST_NAMED:
        lines.append(f"And {len(rules) - _MOST_NAMED} more.")
    one = len(rules) == 1
    named = (
        f"rule {rules[0].rule} {meaning} its file says"
        if one
        else f"{len(rules)} rules {meaning} their files say"
    )
    return Notice(
        key=f"rules/{word.lower()}/{now.isoformat()}/{digest([each.rule for each in rules])[:16]}",
        at=now,
        title=f"[{word}] {named}",
        text=" ".join((*lines, "See: remediator rules list")),
    )
