"""Where Alertmanager sends alerts of which only some labels are known. Pure.

After dispatch/route.go of prometheus/alertmanager: the first child that matches takes an alert, and others after it
only where it says `continue`; what no child takes stays with the parent.
"""

from dataclasses import dataclass
from typing import Any

from remediator.domain.matcher import Matcher, parse_conditions
from remediator.rulebook.lines import Line, surely


@dataclass(frozen=True, slots=True)
class RouteTree:
    """One route and those below it."""

    receiver: str
    conditions: Line
    goes_on: bool
    children: tuple["RouteTree", ...]

    @classmethod
    def of(cls, route: dict[str, Any], receiver: str) -> "RouteTree":
        """Raises AttributeError, KeyError, TypeError or ValueError when it is not a route."""
        receiver = str(route.get("receiver") or receiver)
        children = tuple(cls.of(each, receiver) for each in route.get("routes") or ())
        return cls(receiver, tuple(_conditions(route)), bool(route.get("continue")), children)

    def receivers_of(self, line: Line) -> tuple[frozenset[str], frozenset[str]]:
        """Who gets every alert that the line matches, and who may get some; the first are among the second."""
        always, perhaps = set[str](), set[str]()
        offered: bool | None = True  # to the next child: all of them, or (None) perhaps only some
        left: bool | None = True  # to this route, because no child takes them
        for child in self.children:
            meets = _meets(line, child.conditions)
            if meets is False:
                continue
            below_always, below_perhaps = child.receivers_of(line)
            perhaps |= below_perhaps
            if meets and offered:
                always |= below_always
            left = False if meets else (None if left else left)
            if not child.goes_on:
                if meets:
                    break
                offered = None
        if left is not False:
            perhaps.add(self.receiver)
        if left:
            always.add(self.receiver)
        return frozenset(always), frozenset(perhaps)


def _meets(line: Line, conditions: Line) -> bool | None:
    """Whether all alerts of the line do; None where some may and some may not."""
    answers = [surely(line, each) for each in conditions]
    if False in answers:
        return False
    return None if None in answers else True


def _conditions(route: dict[str, Any]) -> list[Matcher]:
    """All three ways to write them; `match` and `match_re` are the old ones."""
    old = [Matcher(str(name), "=", str(value)) for name, value in (route.get("match") or {}).items()]
    old += [Matcher(str(name), "=~", str(value)) for name, value in (route.get("match_re") or {}).items()]
    new = [str(each).strip().strip("{}") for each in route.get("matchers") or ()]
    return [*old, *(matcher for each in new for matcher in parse_conditions(f"{{{each}}}"))]
