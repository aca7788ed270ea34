"""Which entries of `targets:` can apply to which rule. Pure."""

from collections.abc import Iterable, Sequence

from remediator.domain.matcher import parse_matchers
from remediator.rulebook.lines import may_meet
from remediator.rulebook.rule import LoadedRule, Rule, RuleTarget


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
