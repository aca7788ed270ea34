"""Which rules and targets an alert matches, without asking every rule.

Each line of matchers is filed under one of its conditions, its pivot: the equality that the fewest
lines share, or, where even that one is crowded, a regular expression. An alert looks up its own labels
and tests only what is filed there. What a regular expression lets through is remembered for each value
of its label, so that only the first alert with that value pays for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.load import Rulebook
from remediator.rulebook.rule import Rule, RuleTarget

_CROWDED = 32
"""Lines under one equality up to which no regular expression beside it can be the better pivot."""
_MOST_REMEMBERED = 10_000
"""Values of one label for which the outcome of its regular expressions is remembered."""

_Labels = Mapping[str, str]


class Matching:
    """The matchers of a rulebook, compiled. Its answers depend on the labels alone."""

    def __init__(self, rulebook: Rulebook) -> None:
        # The sort is stable: among equal priorities the order of the files stays.
        by_priority = sorted(rulebook.rules, key=lambda rule: rule.priority)
        self._rules = [rule for rule in by_priority if rule.mode != "off"]
        self._off = [rule for rule in by_priority if rule.mode == "off"]
        self._order = {rule.rule: order for order, rule in enumerate(rulebook.rules)}
        self._targets = rulebook.targets
        self._rule_index = _Index([rule.match for rule in self._rules])
        self._off_index = _Index([rule.match for rule in self._off])
        self._target_index = _Index([target.match for target in self._targets])

    def rules_for(self, labels: _Labels) -> tuple[Rule, ...]:
        """The rules an alert matches, the first to be considered first; none of those in mode off."""
        return tuple([self._rules[position] for position in self._rule_index.find(labels)])

    def off_rules_for(self, labels: _Labels) -> tuple[Rule, ...]:
        """The rules that would match were they not in mode off: why nothing happens may be just that."""
        return tuple([self._off[position] for position in self._off_index.find(labels)])

    def targets_for(self, labels: _Labels) -> tuple[RuleTarget, ...]:
        """The entries of `targets:` an alert matches, in file order."""
        return tuple([self._targets[position] for position in self._target_index.find(labels)])

    def order_of(self, rule: Rule) -> int:
        """The rule's place in the rulebook, by its name: what decides among equal priorities."""
        return self._order[rule.rule]


class _Line:
    """One line of matchers, without the one it is filed under."""

    __slots__ = ("position", "tests")

    def __init__(self, position: int, matchers: Iterable[Matcher]) -> None:
        self.position = position
        self.tests = tuple([(each.name, each.accepts) for each in matchers])


class _Label:
    """Everything that is filed under one label."""

    __slots__ = ("equal", "longest", "patterns", "remembered")

    def __init__(self) -> None:
        self.equal: dict[str, list[_Line]] = {}
        self.patterns: dict[str, list[tuple[Callable[[str], bool], _Line]]] = {}
        """By the plain characters that accepted values begin with."""
        self.longest = 0
        """Of those characters."""
        self.remembered: dict[str, Sequence[_Line]] = {}

    def lines(self, value: str) -> Sequence[_Line]:
        """The lines whose pivot accepts this value."""
        if not self.patterns:
            return self.equal.get(value, ())
        known = self.remembered.get(value)
        if known is None:
            known = (*self.equal.get(value, ()), *self._accepted(value))
            if len(self.remembered) >= _MOST_REMEMBERED:
                self.remembered.clear()
            self.remembered[value] = known
        return known

    def file_pattern(self, pivot: Matcher, line: _Line) -> None:
        for prefix in pivot.prefixes:
            self.patterns.setdefault(prefix, []).append((pivot.accepts, line))
            self.longest = max(self.longest, len(prefix))

    def _accepted(self, value: str) -> Iterator[_Line]:
        """Perhaps one of them twice."""
        for length in range(min(len(value), self.longest) + 1):
            for accepts, line in self.patterns.get(value[:length], ()):
                if accepts(value):
                    yield line


class _Index:
    """Finds the positions, in rising order, of the entries of which a line matches."""

    def __init__(self, entries: Sequence[Iterable[str]]) -> None:
        lines = [(position, parse_matchers(text)) for position, texts in enumerate(entries) for text in texts]
        sharing: Counter[Matcher | tuple[str, str]] = Counter()
        for _, matchers in lines:
            for each in matchers:
                sharing.update(
                    [each] if each.values is None else [(each.name, value) for value in each.values]
                )
        self._labels: dict[str, _Label] = {}
        for position, matchers in lines:
            self._file(position, matchers, _pivot(matchers, sharing))

    def _file(self, position: int, matchers: tuple[Matcher, ...], pivot: Matcher) -> None:
        line = _Line(position, [each for each in matchers if each is not pivot])
        label = self._labels.setdefault(pivot.name, _Label())
        if pivot.values is None:
            label.file_pattern(pivot, line)
        for value in pivot.values or ():
            label.equal.setdefault(value, []).append(line)

    def find(self, labels: _Labels) -> list[int]:
        found: set[int] = set()
        get = labels.get
        for name, label in self._labels.items():
            value = get(name)
            if not value:
                continue
            for line in label.lines(value):
                for other, accepts in line.tests:
                    if not accepts(get(other, "")):
                        break
                else:
                    found.add(line.position)
        return sorted(found)


def _pivot(matchers: tuple[Matcher, ...], sharing: Counter[Matcher | tuple[str, str]]) -> Matcher:
    """The condition to file a line under: one that does not accept a missing label. Every line has one."""
    able = [each for each in matchers if not each.accepts("")]

    def crowd(matcher: Matcher) -> tuple[int, bool]:
        """How many lines share the condition; an alert's name has the fewest values to remember."""
        if matcher.values is None:
            return sharing[matcher], matcher.name != "alertname"
        return sum(sharing[matcher.name, value] for value in matcher.values), matcher.name != "alertname"

    closed = [each for each in able if each.values is not None and crowd(each)[0] <= _CROWDED]
    regexes = [each for each in able if each.operator == "=~" and each.values is None]
    listed = [each for each in able if each.values is not None]
    return min(closed or [*listed, *regexes] or able, key=crowd)
