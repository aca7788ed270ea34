"""Asks the guards about a change at a moment of a history. What a history cannot give is unknown, and said so.

A guard that has a pure `judged` is asked by it, and its limits are held against what the simulation did. Every other
guard is unknown: a new one is, until somebody writes here what a history knows of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from remediator.actions.rollback import Rollback
from remediator.backtest.ledger import Doing, Full, Ledger
from remediator.backtest.past import Past
from remediator.backtest.storms import StormCount
from remediator.backtest.versions import GoingBack, current, going_back
from remediator.domain.answers import GuardAnswer, GuardVerdict, Refusal
from remediator.domain.change import TemplatePatch
from remediator.domain.history import AlertSpan, OpenAlert
from remediator.domain.run_view import RunView
from remediator.domain.storm import Dependent, Surroundings
from remediator.guards.alert_still_firing import AlertStillFiring
from remediator.guards.alerts_correlated import AlertsCorrelated
from remediator.guards.autoscaled import Autoscaled
from remediator.guards.caused_by_rollout import CausedByRollout
from remediator.guards.human_active import HumanActive
from remediator.guards.max_alert_age import MaxAlertAge
from remediator.guards.protected import Protected
from remediator.guards.rule_in_force import RuleInForce
from remediator.guards.storm import Storm as StormGuard
from remediator.guards.this_cluster import ThisCluster
from remediator.settings.protected import BUILT_IN_NAMESPACES
from remediator.settings.protected import Protected as ProtectedNames
from remediator.step import Action, Guard

SURE = (AlertStillFiring, Autoscaled, RuleInForce, ThisCluster)
"""What cannot refuse in a simulation: the alert does fire in it, and the rule is in force in the alert's cluster."""
_BUILT_IN = ProtectedNames(namespaces=BUILT_IN_NAMESPACES)


@dataclass(frozen=True, slots=True)
class Scene:
    """One run at one moment, with what was known then."""

    run: RunView
    doing: Doing
    now: datetime
    hold_of_rule: timedelta | None
    spans: Callable[[], Sequence[AlertSpan]]
    """When alerts of the run's name were open on its target."""
    beside: Callable[[], Sequence[OpenAlert]]
    """What is open on its target."""
    dependents: Callable[[], Sequence[Dependent]]
    """Other targets that fire and need what it needs."""


class Against(NamedTuple):
    """One reason not to act."""

    guard: str
    why: str
    passing: bool
    free_at: datetime | None
    """When it may be over; None when nobody can tell."""


class Judged(NamedTuple):
    """What all guards say together."""

    against: tuple[Against, ...] = ()
    asks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names of those that cannot be told from the history."""


class Judge:
    """Holds the guards against one history and what was done in it."""

    def __init__(self, past: Past, always_on: Sequence[Guard], ledger: Ledger, storms: StormCount) -> None:
        self._past = past
        self._always_on = always_on
        self._ledger = ledger
        self._storms = storms

    def propose(self, action: Action, scene: Scene) -> GoingBack | Refusal | None:
        """Where the change would lead; None for one that sets no other version."""
        if not isinstance(action, Rollback):
            return None
        rollouts = self._past.rollouts_of.get(str(scene.run.target), ())
        return going_back(action, rollouts, scene.spans(), self._past.since, scene.now)

    def ask(self, guards: Sequence[Guard], scene: Scene) -> Judged:
        """Every always-on guard, and these of the rule."""
        against: list[Against] = []
        asks: list[str] = []
        unknown: dict[str, None] = {}
        change = _change(scene.doing)
        for guard in (*self._always_on, *guards):
            if not guard.applies_to(change, scene.run):
                continue
            for answer in (*self._verdict(guard, scene), *self._counts(guard, change, scene)):
                match answer:
                    case Against():
                        against.append(answer)
                    case GuardVerdict(answer=GuardAnswer.ASK):
                        asks.append(answer.sentence)
                    case GuardVerdict(answer=GuardAnswer.UNKNOWN):
                        unknown[guard.key()] = None
        return Judged(tuple(against), tuple(dict.fromkeys(asks)), tuple(sorted(unknown)))

    def _verdict(self, guard: Guard, scene: Scene) -> Iterator[GuardVerdict | Against]:
        if type(guard).verdict is Guard.verdict or isinstance(guard, SURE):
            return
        verdict, free_at = self._looked(guard, scene)
        if verdict.answer is GuardAnswer.REFUSE:
            yield Against(guard.key(), verdict.why, verdict.passing, free_at)
        else:
            yield verdict

    def _looked(self, guard: Guard, scene: Scene) -> tuple[GuardVerdict, datetime | None]:
        """What a guard says of what the history knows, and until when it says so."""
        match guard:
            case CausedByRollout():
                return self._caused_by_rollout(guard, scene), None
            case MaxAlertAge():
                return guard.judged(scene.run.the_alert, scene.now), None
            case AlertsCorrelated():
                return guard.judged(scene.run.the_alert, scene.beside()), None
            case StormGuard():
                storm = self._storms.covering(scene.run.target, scene.now)
                free_at = storm.ends_at if storm is not None else None
                return guard.judged(scene.run, self._surroundings(guard, scene)), free_at
            case HumanActive():
                return self._human_active(guard, scene)
            case Protected():
                return _protected(guard, scene), None
        return guard.unknown("a history does not tell"), None

    def _counts(self, guard: Guard, change: TemplatePatch, scene: Scene) -> Iterator[GuardVerdict | Against]:
        for limit in guard.limits(change, scene.run):
            found = self._ledger.room(limit, scene.doing, scene.now)
            if isinstance(found, Full):
                yield Against(limit.guard, found.why, found.passing, found.free_at)
            elif found is not None:
                yield guard.unknown(found.why)

    def _caused_by_rollout(self, guard: CausedByRollout, scene: Scene) -> GuardVerdict:
        rollout = current(self._past.rollouts_of.get(str(scene.run.target), ()), scene.now)
        if rollout is None or not rollout.began_seen:
            return guard.unknown("when the current rollout began is not in the history")
        hold = scene.hold_of_rule
        return guard.judged(scene.run.the_alert, rollout.began_at, "history", hold, scene.spans())

    def _surroundings(self, guard: StormGuard, scene: Scene) -> Surroundings:
        target = scene.run.target
        here, anywhere = self._storms.newly_firing(target.namespace, guard.window, scene.now)
        return Surroundings(
            storm=self._storms.covering(target, scene.now),
            in_namespace=here,
            anywhere=anywhere,
            dependents=tuple(_together(guard, scene)),
        )

    def _human_active(self, guard: HumanActive, scene: Scene) -> tuple[GuardVerdict, datetime | None]:
        """Only what the history tells of can refuse: that it tells of nobody proves nothing."""
        rollout = current(self._past.rollouts_of.get(str(scene.run.target), ()), scene.now)
        began = self._past.since - guard.quiet if rollout is None else rollout.began_at
        for write in reversed(self._past.writes_of.get(str(scene.run.target), ())):
            if write.at <= scene.now < write.at + guard.quiet and write.at > began:
                why = f"people may be at work: {write.by} wrote the spec at {write.at:%H:%M:%S}"
                return guard.refuse(why, passing=True), write.at + guard.quiet
        return guard.unknown("who wrote the target's spec is not in the history"), None


def _together(guard: StormGuard, scene: Scene) -> Iterator[Dependent]:
    earliest = scene.run.the_alert.starts_at - guard.together
    return (each for each in scene.dependents() if each.starts_at > earliest)


def _protected(guard: Protected, scene: Scene) -> GuardVerdict:
    namespace = scene.run.target.namespace
    whose = _BUILT_IN.why_namespace(namespace)
    if whose is None:
        return guard.unknown("what lives there is not in the history")
    return guard.refuse(f"namespace {namespace} is protected: {whose} lives there")


def _change(doing: Doing) -> TemplatePatch:
    """As much of a change as guards ask for in their limits: what it is, and on what."""
    return TemplatePatch(
        action=doing.action,
        target=doing.target,
        uid="",
        from_template={},
        to_template={},
        from_title="",
        to_title="",
        summary="",
    )


def going(doing: Doing, way: GoingBack | None) -> Doing:
    """The same run with the versions that its change leads from and to."""
    if way is None:
        return doing
    return doing._replace(from_revision=way.from_revision, to_revision=way.to_revision)
