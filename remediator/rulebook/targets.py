"""Which entries of `targets:` can apply to which rule. Pure."""

from collections.abc import Iterable, Sequence

from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.rule import LoadedRule, Rule, RuleTarget

_Line = tuple[Matcher, ...]


def with_their_targets(rules: Iterable[Rule], targets: Sequence[RuleTarget]) -> tuple[LoadedRule, ...]:
    """Each rule with every entry, of whatever file, that an alert of the rule might match as well.

    An entry is left out only where that is certain: where each of its lines and each of the rule's want
    different values of some label. Two regular expressions are never told apart.
    """
    entries = [(each, [parse_matchers(line) for line in each.match]) for each in targets]
    found = []
    for rule in rules:
        lines = [parse_matchers(line) for line in rule.match]
        mine = tuple(entry for entry, theirs in entries if may_meet(lines, theirs))
        found.append(LoadedRule.of(rule, mine))
    return tuple(found)


def may_meet(lines: Iterable[_Line], others: Iterable[_Line]) -> bool:
    """Whether some alert may match a line of both."""
    others = tuple(others)
    return any(not _apart(line, other) for line in lines for other in others)


def _apart(line: _Line, other: _Line) -> bool:
    """Whether no alert can match both: one wants a value from a closed list of which the other takes none."""
    return any(
        _none_of(mine, theirs) or _none_of(theirs, mine)
        for mine in line
        for theirs in other
        if mine.name == theirs.name
    )


def _none_of(listed: Matcher, judge: Matcher) -> bool:
    return listed.values is not None and not any(judge.accepts(value) for value in listed.values)
