"""Asks the guards about a change at a moment of a history. What a history cannot give is unknown, and said so.

A guard that has a pure `judged` is asked by it, and its limits are held against what the simulation did. Every other
guard is unknown: a new one is, until somebody writes here what a history knows of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from remediator.actions.rollback import Rollback
from remediator.backtest.ledger import NOT_KEPT, Doing, Full, Ledger
from remediator.backtest.past import Past
from remediator.backtest.storms import StormCount
from remediator.backtest.terms import LONGEST_FOR, Terms
from remediator.backtest.versions import GoingBack, Versions, current
from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit, Refusal
from remediator.domain.change import Change, Eviction, Scaling, TemplatePatch
from remediator.domain.history import AlertSpan, OpenAlert
from remediator.domain.run_view import RunView
from remediator.domain.storm import Dependent, Surroundings
from remediator.guards.alerts_correlated import AlertsCorrelated
from remediator.guards.autoscaled import Autoscaled
from remediator.guards.caused_by_rollout import CausedByRollout
from remediator.guards.human_active import HumanActive
from remediator.guards.max_alert_age import MaxAlertAge
from remediator.guards.protected import Protected
from remediator.guards.rule_in_force import RuleInForce
from remediator.guards.storm import Storm as StormGuard
from remediator.guards.this_cluster import ThisCluster
from remediator.rulebook.rule import Rule
from remediator.step import Action, Guard

SURE = (Autoscaled, RuleInForce)
"""What cannot refuse in a simulation: the rule is in force in it, and no autoscaler stands against any change but a
scaling."""
_LOOKING = (AlertsCorrelated, CausedByRollout, HumanActive, MaxAlertAge, Protected, StormGuard, ThisCluster)
"""Those that a history has facts for; each has its case in `Judge._looked`."""


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
    dependents: Callable[[timedelta], Sequence[Dependent]]
    """Other targets that fire and need what it needs, and began within this time of its newest alert or after it."""


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


class _Asked(NamedTuple):
    """The guards of one rule, by what can be done with them."""

    looking: tuple[Guard, ...]
    limits: tuple[Limit, ...]
    blind: tuple[str, ...]
    """Names of those that a history does not tell enough for."""


class Judge:
    """Holds the guards against one history and what was done in it."""

    def __init__(self, past: Past, terms: Terms, ledger: Ledger, storms: StormCount) -> None:
        self._past = past
        self._terms = terms
        self._ledger = ledger
        self._storms = storms
        self._always: dict[tuple[str, str], _Asked] = {}
        self._asked: dict[tuple[str, str, str], _Asked] = {}
        self._versions: dict[str, Versions] = {}

    def propose(self, action: Action, scene: Scene) -> GoingBack | Refusal | None:
        """Where the change would lead; None for one that sets no other version."""
        if not isinstance(action, Rollback):
            return None
        target = str(scene.run.target)
        versions = self._versions.get(target)
        if versions is None:
            versions = self._versions[target] = Versions(self._past.rollouts_of.get(target, ()))
        known_since = self._past.known_since or self._past.since
        return versions.going_back(action, scene.spans(), known_since, scene.now)

    def ask(self, rule: Rule, scene: Scene) -> Judged:
        """Every always-on guard, and those of the rule."""
        asked = self._asked_by(rule, scene)
        against: list[Against] = []
        asks: list[str] = []
        unknown = [*asked.blind]
        for answer in self._answers(asked, scene):
            match answer:
                case Against():
                    against.append(answer)
                case GuardVerdict(answer=GuardAnswer.ASK):
                    asks.append(answer.sentence)
                case str():
                    unknown.append(answer)
        return Judged(tuple(against), tuple(dict.fromkeys(asks)), tuple(sorted(set(unknown))))

    def _asked_by(self, rule: Rule, scene: Scene) -> "_Asked":
        """Which guards there are to ask, and what they count: the same for every run of a rule in one namespace."""
        key = (rule.rule, scene.doing.action, scene.run.target.namespace)
        known = self._asked.get(key)
        if known is None:
            change = _change(scene.doing)
            always = self._always.get(key[1:])
            if always is None:
                always = self._always[key[1:]] = _asked(self._terms.always_on, change, scene.run)
            of_rule = _asked(rule.guards, change, scene.run)
            known = self._asked[key] = _Asked(
                looking=always.looking + of_rule.looking,
                limits=always.limits + of_rule.limits,
                blind=always.blind + of_rule.blind,
            )
        return known

    def _answers(self, asked: "_Asked", scene: Scene) -> Iterator[GuardVerdict | Against | str]:
        """What each says; the name alone of one that cannot tell."""
        for guard in asked.looking:
            verdict, free_at = self._looked(guard, scene)
            if verdict is None or verdict.answer is GuardAnswer.UNKNOWN:
                yield guard.key()
            elif verdict.answer is GuardAnswer.REFUSE:
                yield Against(verdict.guard, verdict.why, verdict.passing, free_at)
            else:
                yield verdict
        for limit in asked.limits:
            found = self._ledger.room(limit, scene.doing, scene.now)
            if isinstance(found, Full):
                yield Against(limit.guard, found.why, found.passing, found.free_at)
            elif found is not None:
                yield limit.guard

    def _looked(self, guard: Guard, scene: Scene) -> tuple[GuardVerdict | None, datetime | None]:
        """What a guard says of what the history knows, and until when it says so; None where that is not enough."""
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
                return guard.by_name(scene.run.target, self._terms.protected), None
            case ThisCluster():
                policy = self._terms.policy
                return guard.by_label(scene.run, policy.cluster_label, policy.cluster), None
        return None, None

    def _caused_by_rollout(self, guard: CausedByRollout, scene: Scene) -> GuardVerdict | None:
        rollout = current(self._past.rollouts_of.get(str(scene.run.target), ()), scene.now)
        if rollout is None or not rollout.began_seen:
            return None
        hold = scene.hold_of_rule
        if (
            hold is None
            and rollout.began_at < scene.run.the_alert.starts_at - guard.before_alert - LONGEST_FOR
        ):
            hold = LONGEST_FOR
        return guard.judged(scene.run.the_alert, rollout.began_at, "history", hold, scene.spans())

    def _surroundings(self, guard: StormGuard, scene: Scene) -> Surroundings:
        target = scene.run.target
        here, anywhere = self._storms.newly_firing(target.namespace, guard.window, scene.now)
        return Surroundings(
            storm=self._storms.covering(target, scene.now),
            in_namespace=here,
            anywhere=anywhere,
            dependents=tuple(scene.dependents(guard.together)),
        )

    def _human_active(self, guard: HumanActive, scene: Scene) -> tuple[GuardVerdict | None, datetime | None]:
        """Only what the history tells of can refuse: that it tells of nobody proves nothing."""
        rollout = current(self._past.rollouts_of.get(str(scene.run.target), ()), scene.now)
        began = self._past.since - guard.quiet if rollout is None else rollout.began_at
        since = guard.since(began, scene.run.the_alert.starts_at)
        for write in reversed(self._past.writes_of.get(str(scene.run.target), ())):
            if write.at <= scene.now < write.at + guard.quiet and write.at > since:
                why = f"people may be at work: {write.by} wrote the spec at {write.at:%H:%M:%S}"
                return guard.refuse(why, passing=True), write.at + guard.quiet
        return None, None


def _asked(guards: Sequence[Guard], change: Change, run: RunView) -> _Asked:
    applying = [each for each in guards if each.applies_to(change, run)]
    sure = (RuleInForce,) if isinstance(change, Scaling) else SURE
    judging = [
        each for each in applying if type(each).verdict is not Guard.verdict and not isinstance(each, sure)
    ]
    return _Asked(
        looking=tuple(each for each in judging if isinstance(each, _LOOKING)),
        limits=tuple(
            limit for each in applying for limit in each.limits(change, run) if limit.count not in NOT_KEPT
        ),
        blind=tuple(each.key() for each in judging if not isinstance(each, _LOOKING)),
    )


def _change(doing: Doing) -> Change:
    """As much of a change as guards ask for in their limits: what it is, and on what."""
    said: dict[str, Any] = {"uid": "", "from_title": "", "to_title": "", "summary": ""}
    match doing.action:
        case "scale":
            return Scaling(
                action=doing.action,
                target=doing.target,
                from_replicas=0,
                to_replicas=0,
                from_template={},
                **said,
            )
        case "evict_pod":
            return Eviction(target=doing.target, pod="", pod_uid="", from_exact="", **said)
        case _:
            return TemplatePatch(
                action=doing.action, target=doing.target, from_template={}, to_template={}, **said
            )


def going(doing: Doing, way: GoingBack | None) -> Doing:
    """The same run with the versions that its change leads from and to."""
    if way is None:
        return doing
    return doing._replace(from_revision=way.from_revision, to_revision=way.to_revision)
