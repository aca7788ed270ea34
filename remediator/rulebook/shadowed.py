"""Rules that never get an alert, because others that go before them take each of theirs. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from remediator.domain.matcher import parse_matchers
from remediator.rulebook.lines import Line, within
from remediator.rulebook.load import ReadFile
from remediator.rulebook.problem import Fault, YamlPath
from remediator.rulebook.rule import Rule


class _Acting(NamedTuple):
    file: ReadFile
    path: YamlPath
    rule: Rule
    lines: tuple[Line, ...]


def shadowed(files: Sequence[ReadFile]) -> Iterator[tuple[ReadFile, Fault]]:
    """Each rule in ask or act that no alert is left for.

    Rules in shadow and in mode off take nothing from others, nor is anything taken from them.
    """
    by_rank = sorted(_acting(files), key=lambda each: each.rule.priority)
    earlier = _Earlier()
    for each in by_rank:
        takers = earlier.takers(each.lines)
        if takers:
            where = ", ".join(_named(by_rank[rank]) for rank in takers)
            why = f"never gets an alert: what it matches is taken by {where} before"
            yield (
                each.file,
                Fault((*each.path, "match"), why, "give it a lower number as priority", at_key=True),
            )
        earlier.add(each.lines)


def _acting(files: Iterable[ReadFile]) -> Iterator[_Acting]:
    for file in files:
        for index, rule in enumerate(file.rules):
            if rule.mode in ("ask", "act"):
                lines = tuple(parse_matchers(line) for line in rule.match)
                yield _Acting(file, ("rules", index), rule, lines)


def _named(taker: _Acting) -> str:
    return f"{taker.rule.rule} ({taker.file.where((*taker.path, 'rule'))})"


class _Earlier:
    """The lines of all rules so far, filed under one condition of each, so that few have to be compared."""

    def __init__(self) -> None:
        self._rules = 0
        self._listed: dict[tuple[str, str], list[tuple[int, Line]]] = defaultdict(list)
        self._other: dict[str, list[tuple[int, Line]]] = defaultdict(list)

    def add(self, lines: Iterable[Line]) -> None:
        """The lines of the next rule."""
        for line in lines:
            pivot = next((each for each in line if each.values is not None), line[0])
            if pivot.values is None:
                self._other[pivot.name].append((self._rules, line))
            for value in pivot.values or ():
                self._listed[pivot.name, value].append((self._rules, line))
        self._rules += 1

    def takers(self, lines: Iterable[Line]) -> tuple[int, ...]:
        """The rules, by their number, that together match all these lines match; none when something is left."""
        found: list[int] = []
        for line in lines:
            taker = next((rule for rule, other in self._near(line) if within(line, other)), None)
            if taker is None:
                return ()
            found.append(taker)
        return tuple(sorted(set(found)))

    def _near(self, line: Line) -> Iterator[tuple[int, Line]]:
        """All that could take it: what they are filed under has to follow from some condition of the line."""
        for each in line:
            if each.values is not None:
                yield from self._listed.get((each.name, min(each.values)), ())
            yield from self._other.get(each.name, ())
