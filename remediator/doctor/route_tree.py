"""Where Alertmanager sends alerts of which only some labels are known. Pure.

After dispatch/route.go of prometheus/alertmanager: the first child that matches takes an alert, and others after it
only where it says `continue`; what no child takes stays with the parent.
"""

from dataclasses import dataclass
from typing import Any

from remediator.domain.matcher import Matcher, MatcherError, parse_conditions
from remediator.rulebook.lines import Line, surely


@dataclass(frozen=True, slots=True)
class RouteTree:
    """One route and those below it."""

    receiver: str
    conditions: Line
    unread: bool
    """Some of its conditions cannot be read here, though Alertmanager reads them: what they take is not known."""
    goes_on: bool
    children: tuple["RouteTree", ...]

    @classmethod
    def of(cls, route: dict[str, Any], receiver: str) -> "RouteTree":
        """Raises AttributeError, KeyError, TypeError or ValueError when it is not a route."""
        receiver = str(route.get("receiver") or receiver)
        children = tuple(cls.of(each, receiver) for each in route.get("routes") or ())
        conditions, unread = conditions_of(route)
        return cls(receiver, conditions, unread, bool(route.get("continue")), children)

    def receivers_of(self, line: Line) -> tuple[frozenset[str], frozenset[str]]:
        """Who gets every alert that the line matches, and who may get some; the first are among the second."""
        always, perhaps = set[str](), set[str]()
        offered: bool | None = True  # to the next child: all of them, or (None) perhaps only some
        left: bool | None = True  # to this route, because no child takes them
        for child in self.children:
            meets = _meets(line, child)
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


def _meets(line: Line, route: RouteTree) -> bool | None:
    """Whether all alerts of the line do; None where some may and some may not."""
    answers = [surely(line, each) for each in route.conditions]
    if False in answers:
        return False
    return None if route.unread or None in answers else True


def conditions_of(route: dict[str, Any]) -> tuple[Line, bool]:
    """All three ways to write them; `match` and `match_re` are the old ones. And whether some cannot be read.

    Our grammar is stricter than Alertmanager's: `instance=~"db\\d+"` is one that only it takes.
    """
    found = [Matcher(str(name), "=", str(value)) for name, value in (route.get("match") or {}).items()]
    found += [Matcher(str(name), "=~", str(value)) for name, value in (route.get("match_re") or {}).items()]
    unread = False
    for each in route.get("matchers") or ():
        try:
            found += parse_conditions(f"{{{str(each).strip().strip('{}')}}}")
        except MatcherError:
            unread = True
    return tuple(found), unread
