"""What a simulation has at work: alerts that are open, and the run that holds a target."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from remediator.backtest.ledger import Doing
from remediator.backtest.past import PastAlert
from remediator.backtest.versions import GoingBack
from remediator.domain.alert import fingerprint
from remediator.domain.history import AlertSpan, OpenAlert
from remediator.domain.run_view import Mode, RunView
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.store.episodes import Episode


class Moment(IntEnum):
    """What happens, and which comes first of what happens at one time."""

    CLOSES = 0
    RUN_ENDS = 1
    OPENS = 2
    PLANS = 3
    ASKS = 4


@dataclass(slots=True, eq=False)
class Case:
    """One alert while it is open."""

    number: int
    alert: PastAlert
    rules: tuple[Rule, ...] = ()
    episode: Episode | None = None
    target: Target | None = None
    depends_on: tuple[str, ...] = ()
    placed: bool = False
    """Whether planning has looked at it, so that it is known to be about its target."""
    acting: bool = False
    """Whether it counts for storms."""
    is_open: bool = True
    plannings: int = 0
    """Numbers its planning: an earlier one that is still due is not made."""
    pending: bool = False
    """Whether a planning is due."""
    run: "Running | None" = None
    disposition: str = ""
    why: str = ""


@dataclass(slots=True, eq=False)
class Running:
    """One run until it ends."""

    number: int
    rule: Rule
    mode: Mode
    case: Case
    target: Target
    planned_at: datetime
    doing: Doing
    view: RunView
    joined: list[Case] = field(default_factory=list)
    way: GoingBack | None = None
    proposed: bool = False
    way_unknown: bool = False
    held_by: dict[str, None] = field(default_factory=dict)
    asks: int = 0
    """Numbers its asking: an earlier one that is still due is not made."""
    acted: bool = False
    ended_at: datetime | None = None

    @property
    def cleared(self) -> bool:
        """Whether all its alerts are over."""
        return not self.case.is_open and not any(each.is_open for each in self.joined)


@dataclass(slots=True, eq=False)
class Place:
    """One target."""

    open: dict[int, Case] = field(default_factory=dict)
    ever: dict[str, list[Case]] = field(default_factory=dict)
    """Every alert of a rule that was about it so far, by alertname: of no other the daemon looks up the target."""
    last: Running | None = None
    shadows: dict[str, datetime] = field(default_factory=dict)
    """When the last shadow run of each rule ended."""

    def add(self, case: Case) -> None:
        """An alert about it opens."""
        self.open[case.number] = case
        if case.rules:
            self.ever.setdefault(case.alert.name, []).append(case)

    def open_alerts(self) -> list[OpenAlert]:
        """Those that are open."""
        return [
            OpenAlert(
                alertname=each.alert.name, labels=dict(each.alert.labels), starts_at=each.alert.starts_at
            )
            for each in self.open.values()
        ]

    def spans(self, alertname: str, now: datetime) -> list[AlertSpan]:
        """When alerts of this name were open, as was known at `now`."""
        return [
            AlertSpan(
                alertname=alertname,
                starts_at=each.alert.starts_at,
                closed_at=None if each.is_open else each.alert.ends_at,
            )
            for each in self.ever.get(alertname, ())
            if each.alert.starts_at <= now
        ]


Later: TypeAlias = Callable[[datetime, Moment, Case | Running, int], None]
"""Has something happen later; the number tells an asking of a run from those before it."""


def episode_of(number: int, alert: PastAlert) -> Episode:
    """The alert as the database would have it while it is open."""
    return Episode(
        id=number,
        source="history",
        fingerprint=fingerprint(alert.labels),
        alertname=alert.name,
        labels=dict(alert.labels),
        annotations={},
        starts_at=alert.starts_at,
        opened_at=alert.received_at,
        last_seen_at=alert.received_at,
        ends_at=None,
        closed_at=None,
        closed_because=None,
        plan_due_at=None,
        disposition=None,
        why=None,
        incident_id=None,
        run_id=None,
        target=None,
    )
