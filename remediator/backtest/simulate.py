"""The simulation: one loop over the moments at which something happens, in the order in which it happened.

Planning is `planning/planner`'s, in its order and with its choice among rules; holding and giving up is
`runbook/ask_guards`'. Nothing waits: a run that is held is asked again when what holds it may be over, at a moment at
which the daemon would have asked as well.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from remediator.backtest.at_work import Case, Moment, Place, Running, episode_of
from remediator.backtest.decision import Decision, Disposed, Result
from remediator.backtest.judge import Judge
from remediator.backtest.ledger import Ledger
from remediator.backtest.past import Past, PastAlert
from remediator.backtest.plans import Plans
from remediator.backtest.runs import Runs
from remediator.backtest.storms import StormCount
from remediator.backtest.target import meant_by, named_by
from remediator.backtest.terms import Terms
from remediator.domain.answers import Refusal
from remediator.guards.storm import Storm as StormGuard
from remediator.planning.by_labels import Decided, decided
from remediator.rulebook.load import Rulebook
from remediator.rulebook.match import Matching

Progress = Callable[[int, int], None]
"""Told how many alerts of how many are done."""

_TOLD_EVERY = 1000


def simulate(
    past: Past, rulebook: Rulebook, terms: Terms, progress: Progress = lambda _done, _of: None
) -> Result:
    """What these rules would have done. The same history and rules give the same result."""
    simulation = _Simulation(past, rulebook, terms)
    simulation.run(progress)
    return simulation.result()


class _Simulation:
    def __init__(self, past: Past, rulebook: Rulebook, terms: Terms) -> None:
        self._past = past
        self._terms = terms
        self._matching = Matching(rulebook)
        self._due: list[tuple[datetime, int, int, Case | Running, int]] = []
        self._numbers = 0
        self._places: dict[str, Place] = defaultdict(Place)
        self._disposed: list[Disposed] = [Disposed("not reached", "")] * len(past.alerts)
        self._decisions: list[Decision] = []
        self._storms = StormCount(terms.storm, _longest_window(rulebook))
        ledger = Ledger()
        judge = Judge(past, terms, ledger, self._storms)
        self._runs = Runs(terms, judge, ledger, self._places, self._later, self._decisions.append)
        self._plans = Plans(terms, self._matching, self._storms, self._places, self._runs, self._later)

    def run(self, progress: Progress) -> None:
        """Go through all of it."""
        alerts = self._past.alerts
        for number, alert in enumerate(alerts):
            if alert.received_at > self._past.until:
                break
            if number % _TOLD_EVERY == 0:
                progress(number, len(alerts))
            self._until(alert.received_at, Moment.OPENS)
            self._opens(Case(number, alert))
        self._until(self._past.until, Moment.OPENS)
        progress(len(alerts), len(alerts))

    def result(self) -> Result:
        """What came of it."""
        self._runs.still_open(self._past.until)
        for place in self._places.values():
            for case in place.open.values():
                self._disposed[case.number] = Disposed(case.disposition, case.why)
        decisions = sorted(self._decisions, key=lambda each: (each.at, each.alert, each.rule))
        return Result(decisions, self._disposed, self._storms.began)

    def _later(self, at: datetime, moment: Moment, what: Case | Running, number: int) -> None:
        self._numbers += 1
        heapq.heappush(self._due, (at, moment, self._numbers, what, number))

    def _until(self, at: datetime, moment: Moment) -> None:
        """Everything that happens before an alert opens at this moment."""
        due = self._due
        while due and due[0][:2] < (at, moment):
            now, happens, _, what, number = heapq.heappop(due)
            match happens, what:
                case Moment.CLOSES, Case():
                    self._closes(what, now)
                case Moment.PLANS, Case():
                    self._plans.plan(what, now, number)
                case Moment.ASKS, Running():
                    self._runs.ask(what, now, number)
                case Moment.RUN_ENDS, Running():
                    self._runs.end(what, now)

    def _opens(self, case: Case) -> None:
        alert = case.alert
        if alert.ends_at is not None and alert.ends_at <= self._past.until:
            self._later(alert.ends_at, Moment.CLOSES, case, 0)
        by_labels = decided(alert.labels, self._matching, self._terms.policy)
        if by_labels is not None and by_labels.disposition == "other_cluster":
            self._disposed[case.number] = Disposed(*by_labels)
            return
        case.rules = self._matching.rules_for(alert.labels)
        cluster = self._terms.cluster
        if case.rules:
            found = meant_by(alert.labels, self._matching.targets_for(alert.labels), alert.target, cluster)
        else:
            found = named_by(alert.labels, cluster)
        if isinstance(found, Refusal):
            case.disposition, case.why = ("target_unknown" if found.passing else "no_target"), found.why
        else:
            case.target, case.depends_on = found.target, found.depends_on
            self._places[str(case.target)].add(case)
        self._dispose(case, alert, by_labels)

    def _dispose(self, case: Case, alert: PastAlert, by_labels: Decided | None) -> None:
        """What becomes of it at once; what is to be planned is planned after everything that opens at this moment."""
        if by_labels is not None:
            case.disposition, case.why = by_labels
        elif alert.ends_at is not None and alert.ends_at < self._past.since:
            case.disposition, case.why = "over_before", "it was over before the window began"
        elif alert.received_at < self._past.since:
            case.disposition, case.why = "began_before", "it was open before the window began"
            if case.target is not None:
                self._storms.was_open(case.number, case.target, alert.received_at)
        elif case.target is not None:
            case.episode = episode_of(case.number, alert)
            self._plans.opened(case, alert.received_at)
            return
        self._disposed[case.number] = Disposed(case.disposition, case.why)

    def _closes(self, case: Case, now: datetime) -> None:
        case.is_open = False
        if case.target is None:
            return
        del self._places[str(case.target)].open[case.number]
        self._storms.closed(case.number, case.target)
        self._runs.no_longer_needs(case)
        self._disposed[case.number] = Disposed(case.disposition, case.why)
        if case.run is not None:
            self._runs.one_cleared(case.run, now)


def _longest_window(rulebook: Rulebook) -> timedelta:
    """The longest window of a rule's own storm guard."""
    return max(
        (guard.window for rule in rulebook.rules for guard in rule.guards if isinstance(guard, StormGuard)),
        default=timedelta(0),
    )
