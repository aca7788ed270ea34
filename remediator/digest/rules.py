"""Rules that never fire, that always refuse and by what, and that may not go as far as their file says."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.domain.rule_mode import RuleMode
from remediator.store import rule_use
from remediator.store.rule_use import RuleUse

_PAST = timedelta(days=30)
"""A rule that is silent for a day says nothing."""


async def fill(sources: Sources) -> Found:
    modes = [each for each in await sources.rule_modes() if each.configured != "off"]
    acts = {each.rule for each in sources.rules() if each.ladder}
    async with sources.database.connection() as connection:
        used = await rule_use.of_rules(connection, [each.rule for each in modes], _PAST)
    if not modes:
        return Found(lines=(unknown("no rule is loaded that is not off"),))
    young = sources.stretch.end - _PAST
    lines = [line for each in modes for line in _lines(each, used[each.rule], young, each.rule in acts)]
    busy = sum(1 for each in used.values() if each.runs)
    return Found(
        lines=(
            *lines,
            *_new(used.values(), young),
            fine(f"{busy} of {len(modes)} rules had runs in {_PAST.days} days"),
        ),
        details={"rules": [each.to_json() for each in used.values()]},
    )


def _lines(mode: RuleMode, used: RuleUse, young: datetime, acts: bool) -> list[Line]:
    lines = []
    if mode.disarmed:
        lines.append(
            look(f"{mode.rule}: its file says {mode.configured}, it is in {mode.effective}: {mode.why}")
        )
    if not used.runs and not _is_new(used, young):
        lines.append(look(f"{mode.rule}: no alert led to a run of it in {_PAST.days} days"))
    elif used.runs and acts and used.refused == used.runs:
        lines.append(
            look(
                f"{mode.rule}: every one of its {used.runs} runs in {_PAST.days} days was refused, "
                f"by {_counted(used.refused_by)}{_blind(used)}"
            )
        )
    return lines


def _new(used: Iterable[RuleUse], young: datetime) -> list[Line]:
    """Of rules that are too new to be called silent."""
    names = [each.rule for each in used if not each.runs and _is_new(each, young)]
    return (
        [fine(f"no run yet, and loaded for less than {_PAST.days} days: {', '.join(names)}")] if names else []
    )


def _is_new(used: RuleUse, young: datetime) -> bool:
    return used.known_since is None or used.known_since > young


def _blind(used: RuleUse) -> str:
    return f"; what could not be known: {_counted(used.unknown_by)}" if used.unknown_by else ""


def _counted(guards: dict[str, int]) -> str:
    ranked = sorted(guards.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{guard} ({times})" for guard, times in ranked) or "nothing that said no"
