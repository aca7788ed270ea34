"""What a simulation found: one row for each run, and what became of each alert."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from remediator.domain.run_view import Mode

Outcome = Literal["might act", "might ask", "hands over", "stopped", "cleared", "open"]
"""`cleared` is when the alert ended while something stood against the change, `open` when the history did."""


class Decision(NamedTuple):
    """One run: what would have been done, or what stopped it."""

    alert: int
    """Which alert of the history made it."""
    alertname: str
    fingerprint: str
    rule: str
    mode: Mode
    target: str
    action: str
    """Empty for a rule that only looks."""
    planned_at: datetime
    at: datetime
    """When it would have been done, or was given up."""
    outcome: Outcome
    to: str = ""
    """The version a rollback goes to; empty where that is not known."""
    why: str = ""
    """What stopped it, or what a person is asked."""
    stopped_by: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    """What held it for a while before."""
    unknown: tuple[str, ...] = ()
    """What the history does not tell: each of these might have stopped it."""

    @property
    def acts(self) -> bool:
        return self.outcome in ("might act", "might ask")


class Disposed(NamedTuple):
    """What became of an alert."""

    disposition: str
    why: str


@dataclass(frozen=True)
class Result:
    """Everything that one rule set made of one history."""

    decisions: Sequence[Decision]
    """In the order of `at`."""
    disposed: Sequence[Disposed]
    """By the number of the alert."""
    storms: int

    @property
    def outcomes(self) -> Mapping[str, int]:
        return Counter(each.outcome for each in self.decisions)
