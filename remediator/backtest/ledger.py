"""What was done so far in a simulation, and how much of a guard's limit it takes.

`store/counts` and `store/budgets` hold the same limits against the database; a test holds the two against each other.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from remediator.domain.answers import Limit
from remediator.domain.target import Target

_Each = TypeVar("_Each")

NOT_KEPT = ("pauses", "freezes", "storms")
"""What limits count besides, and a simulation keeps no book of: nobody pauses it, and storms are another's."""


class Doing(NamedTuple):
    """One run, as far as limits ask about it."""

    number: int
    """The order in which runs were planned."""
    rule: str
    target: Target
    planned_at: datetime
    action: str = ""
    from_revision: str | None = None
    to_revision: str | None = None
    """None for a version that the history does not tell."""


class Full(NamedTuple):
    """A limit that is reached."""

    why: str
    passing: bool
    free_at: datetime | None
    """When it has room again, if nothing more is done; None when that does not come of itself."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What a limit counts is not known: between which versions a rollback was or would be made."""


@dataclass
class _Effect:
    doing: Doing
    at: datetime
    settled_at: datetime


@dataclass
class _Scope:
    """What was done in one scope, in the order of time."""

    effects: list[_Effect] = field(default_factory=list)
    runs: list[Doing] = field(default_factory=list)


class Ledger:
    """Runs and effects, each added when it comes: time never goes back."""

    def __init__(self) -> None:
        self._scopes: dict[tuple[str, str], _Scope] = defaultdict(_Scope)
        self._unsettled: list[_Effect] = []

    def planned(self, doing: Doing) -> None:
        """A run that is no shadow."""
        for key in _keys(doing):
            self._scopes[key].runs.append(doing)

    def acted(self, doing: Doing, at: datetime, settled_at: datetime) -> None:
        """Its change was made, and is unsettled until then."""
        effect = _Effect(doing, at, settled_at)
        for key in _keys(doing):
            self._scopes[key].effects.append(effect)
        self._unsettled = [each for each in self._unsettled if each.settled_at > at]
        self._unsettled.append(effect)

    def room(self, limit: Limit, doing: Doing, now: datetime) -> Full | Unclear | None:
        """None when the limit, which counts none of NOT_KEPT, leaves room for one change of this run."""
        if limit.count == "unsettled":
            ends = sorted(each.settled_at for each in self._unsettled if each.settled_at > now)
            return self._full(limit, ends, timedelta(0), f"the budget of {limit.why} is taken", 1)
        window = timedelta(seconds=limit.per_seconds)
        scope = self._scopes[_key(limit, doing)]
        if limit.count == "runs":
            times = _recent(scope.runs, lambda each: each.planned_at, now - window)
            earlier = [each.planned_at for each in times if each.number < doing.number]
            return self._full(limit, earlier, window, limit.why)
        effects = _recent(scope.effects, lambda each: each.at, now - window)
        if limit.count == "slots":
            why = f"the budget of {limit.why} has no room"
            return self._full(limit, [each.at for each in effects], window, why, 1)
        others = [each for each in effects if each.doing.number != doing.number]
        return self._of_kind(limit, others, doing, window)

    def _of_kind(
        self, limit: Limit, effects: Sequence[_Effect], doing: Doing, window: timedelta
    ) -> Full | Unclear | None:
        if limit.of == "action":
            effects = [each for each in effects if each.doing.action == doing.action]
        elif limit.of in ("pair", "return", "put_back"):
            moves = [each for each in effects if each.doing.from_revision != each.doing.to_revision]
            if limit.of == "put_back" or not moves:
                # What a person undoes is a run of theirs, and the simulation makes none.
                return None
            if None in (doing.from_revision, doing.to_revision):
                return Unclear()
            effects = [each for each in moves if _is_such(limit, each.doing, doing)]
        return self._full(limit, [each.at for each in effects], window, limit.why)

    @staticmethod
    def _full(
        limit: Limit, times: Sequence[datetime], window: timedelta, why: str, needs: int = 0
    ) -> Full | None:
        """`times` rise; the limit is reached when as many as it allows are among them."""
        allowed = limit.fewer_than - needs
        if len(times) < allowed:
            return None
        return Full(why, limit.passing, times[len(times) - allowed] + window)


def _is_such(limit: Limit, done: Doing, doing: Doing) -> bool:
    if limit.of == "pair":
        return (done.from_revision, done.to_revision) == (doing.from_revision, doing.to_revision)
    return done.from_revision == doing.to_revision


def _keys(doing: Doing) -> Sequence[tuple[str, str]]:
    return (
        ("everything", ""),
        ("namespace", doing.target.namespace),
        ("rule", doing.rule),
        ("target", str(doing.target)),
    )


def _key(limit: Limit, doing: Doing) -> tuple[str, str]:
    match limit.of:
        case "everything":
            return "everything", ""
        case "namespace":
            return "namespace", doing.target.namespace
        case "rule":
            return "rule", doing.rule
        case _:
            return "target", str(doing.target)


def _recent(done: list[_Each], when: Callable[[_Each], datetime], after: datetime) -> Sequence[_Each]:
    """Those after a moment; what is done is in the order of time."""
    return done[bisect_right(done, after, key=when) :]
