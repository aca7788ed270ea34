"""Whether a changed rule can do more than before. Pure, and on the safe side: what cannot be told is more.

A rule keeps the standing of the version before it when every part of it is the same or stands in the closed
list below. Anything else begins a probation of its own.
"""

from collections.abc import Iterable, Iterator

from remediator.domain.duration import format_duration
from remediator.domain.matcher import parse_matchers
from remediator.rulebook.lines import may_meet, within
from remediator.rulebook.rule import LoadedRule, RuleTarget, Rung
from remediator.step import Step


def widened(earlier: LoadedRule, later: LoadedRule) -> tuple[str, ...]:
    """What lets `later` do anything that `earlier` could not, as far as can be told; nothing when it only narrows.

    What it looks at (diagnostics) and says (description, owner, runbook) cannot matter, and its mode is no
    part of it: the mode is what a standing is for.
    """
    return (*_sooner(earlier, later), *_more(earlier, later))


def _sooner(earlier: LoadedRule, later: LoadedRule) -> Iterator[str]:
    """What makes it take up an incident that it left alone, left to others, or took up later."""
    lines = [parse_matchers(each) for each in earlier.match]
    for text in later.match:
        if not any(within(parse_matchers(text), line) for line in lines):
            yield f"it may match alerts it did not match: {text}"
    if later.priority < earlier.priority:
        yield f"it goes before more rules: priority {later.priority} instead of {earlier.priority}"
    if later.wait < earlier.wait:
        yield f"it waits {format_duration(later.wait)} instead of {format_duration(earlier.wait)}"
    if not _same_targets(earlier, later):
        yield "its alerts may mean other workloads"


def _more(earlier: LoadedRule, later: LoadedRule) -> Iterator[str]:
    """What makes it do what it did not do."""
    for guard in earlier.guards:
        if not any(each.narrows(guard) for each in later.guards):
            yield f"the guard {guard.key()} is gone or refuses less"
    if not _is_beginning(later.ladder, earlier.ladder):
        yield "what it does, or how that is verified, is another"


def _is_beginning(later: tuple[Rung, ...], earlier: tuple[Rung, ...]) -> bool:
    """Whether the ladder ends earlier and is the same up to there; a changed verification may climb more often."""
    return len(later) <= len(earlier) and all(
        mine.verifications == theirs.verifications and _each_narrows(mine.actions, theirs.actions)
        for mine, theirs in zip(later, earlier, strict=False)
    )


def _each_narrows(later: tuple[Step, ...], earlier: tuple[Step, ...]) -> bool:
    return len(later) == len(earlier) and all(
        mine.narrows(theirs) for mine, theirs in zip(later, earlier, strict=True)
    )


def _same_targets(earlier: LoadedRule, later: LoadedRule) -> bool:
    """Whether its alerts mean the same workloads as before, each of which depends on no less.

    An entry that its alerts cannot match any more does not count.
    """
    lines = [parse_matchers(each) for each in later.match]
    mattered = [each for each in earlier.targets if may_meet(lines, map(parse_matchers, each.match))]
    before, after = _by_what_they_say(mattered), _by_what_they_say(later.targets)
    return before.keys() == after.keys() and all(before[each] <= after[each] for each in before)


def _by_what_they_say(entries: Iterable[RuleTarget]) -> dict[tuple[frozenset[str], str], frozenset[str]]:
    said: dict[tuple[frozenset[str], str], frozenset[str]] = {}
    for each in entries:
        key = (frozenset(each.match), each.target)
        said[key] = said.get(key, frozenset()) | frozenset(each.depends_on)
    return said
