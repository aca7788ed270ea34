"""What can be told of lines of matchers without any alert. Pure."""

from collections.abc import Iterable

from remediator.domain.matcher import Matcher

Line = tuple[Matcher, ...]
"""One line of `match`: all of it has to hold."""

_NOBODY_WRITES = ("zq-0-wy", "Kx_7:vj", "9~\u00e5.ph")


def may_meet(lines: Iterable[Line], others: Iterable[Line]) -> bool:
    """Whether some alert may match a line of both."""
    others = tuple(others)
    return any(not _apart(line, other) for line in lines for other in others)


def _apart(line: Line, other: Line) -> bool:
    """Whether no alert can match both: one wants a value from a closed list of which the other takes none, or the very
    opposite.
    """
    return any(
        _none_of(mine, theirs) or _none_of(theirs, mine) or _opposite(mine, theirs)
        for mine in line
        for theirs in other
        if mine.name == theirs.name
    )


def _none_of(listed: Matcher, judge: Matcher) -> bool:
    return listed.values is not None and not any(judge.accepts(value) for value in listed.values)


_OPPOSITES = frozenset({("=", "!="), ("!=", "="), ("=~", "!~"), ("!~", "=~")})


def _opposite(mine: Matcher, theirs: Matcher) -> bool:
    return mine.value == theirs.value and (mine.operator, theirs.operator) in _OPPOSITES


def alert_names(line: Line) -> frozenset[str]:
    """The alerts a line can match, where that is a closed list; empty where it leaves the name open."""
    closed = [each.values for each in line if each.name == "alertname" and each.values is not None]
    return frozenset.intersection(*closed) if closed else frozenset()


def surely(line: Line, condition: Matcher) -> bool | None:
    """Whether whatever the line matches meets the condition; None where some may and some may not."""
    if any(_implies(mine, condition) for mine in line):
        return True
    return False if _apart(line, (condition,)) else None


def within(line: Line, other: Line) -> bool:
    """Whether every alert that `line` matches is one that `other` matches: each condition there follows from here."""
    return all(any(_implies(mine, theirs) for mine in line) for theirs in other)


def matches_any(matcher: Matcher) -> bool:
    """Whether it accepts whatever a label says, as far as three texts tell that nobody would write in a rule."""
    return all(matcher.accepts(text) for text in _NOBODY_WRITES)


def _implies(mine: Matcher, theirs: Matcher) -> bool:
    if mine == theirs:
        return True
    closed = mine.values if mine.name == theirs.name else None
    return closed is not None and all(theirs.accepts(value) for value in closed)
