"""Which rules an alert matches, and why not the others: told from the labels alone, without any cluster. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.load import Rulebook
from remediator.rulebook.rule import LoadedRule

_Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """One rule, held against one alert."""

    rule: LoadedRule
    where: str
    """`file:line` of the rule."""
    why_not: tuple[str, ...]
    """What of the line that comes nearest does not hold; nothing when the rule matches."""

    @property
    def matches(self) -> bool:
        return not self.why_not


def look_at(rulebook: Rulebook, labels: _Labels) -> tuple[Look, ...]:
    """Every rule: those that match in the order in which they are considered, then the others, the nearest first."""
    looks = [Look(each, rulebook.where(each.rule), nearest_miss(each, labels)) for each in rulebook.rules]
    return tuple(sorted(looks, key=lambda each: (len(each.why_not), each.rule.priority)))


def nearest_miss(rule: LoadedRule, labels: _Labels) -> tuple[str, ...]:
    """Why the line that comes nearest does not match, one sentence for each of its conditions that fails."""
    return min((tuple(_failing(parse_matchers(line), labels)) for line in rule.match), key=len)


def _failing(line: Sequence[Matcher], labels: _Labels) -> Iterator[str]:
    for each in line:
        if not each.matches(labels):
            value = labels.get(each.name)
            yield f"{each}: " + (f"the alert has no label {each.name}" if not value else f"it is {value!r}")
