"""The complete list of what this daemon can look at, refuse for, do, verify and tell.

One line for each step. What is not named here cannot stand in a rule file and cannot happen.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter, ValidationError

from remediator.actions.evict_pod import EvictPod
from remediator.actions.restart import Restart
from remediator.actions.rollback import Rollback
from remediator.actions.scale import Scale
from remediator.actions.undo import Undo
from remediator.diagnostics.events import Events
from remediator.diagnostics.logs import Logs
from remediator.diagnostics.pods import Pods
from remediator.diagnostics.promql import Promql as PromqlDiagnostic
from remediator.diagnostics.rollout_history import RolloutHistory
from remediator.errors import Permanent
from remediator.guards.alert_still_firing import AlertStillFiring
from remediator.guards.alerts_correlated import AlertsCorrelated
from remediator.guards.as_planned import AsPlanned
from remediator.guards.autoscaled import Autoscaled
from remediator.guards.breaker import Breaker
from remediator.guards.budget import Budget
from remediator.guards.capacity import Capacity
from remediator.guards.caused_by_rollout import CausedByRollout
from remediator.guards.cooldown import Cooldown
from remediator.guards.dependency_healthy import DependencyHealthy
from remediator.guards.floor import Floor
from remediator.guards.freeze import Freeze
from remediator.guards.human_active import HumanActive
from remediator.guards.limit import Limit
from remediator.guards.max_alert_age import MaxAlertAge
from remediator.guards.migration import Migration
from remediator.guards.min_replicas import MinReplicas
from remediator.guards.monitoring_fresh import MonitoringFresh
from remediator.guards.node_trouble import NodeTrouble
from remediator.guards.opted_in import OptedIn
from remediator.guards.owner import Owner
from remediator.guards.pause import Pause
from remediator.guards.ping_pong import PingPong
from remediator.guards.promql import Promql as PromqlGuard
from remediator.guards.protected import Protected
from remediator.guards.quota import Quota
from remediator.guards.restart_loop import RestartLoop
from remediator.guards.rollout_in_progress import RolloutInProgress
from remediator.guards.rule_in_force import RuleInForce
from remediator.guards.siblings import Siblings
from remediator.guards.storm import Storm
from remediator.guards.this_cluster import ThisCluster
from remediator.notifiers.webhook import Webhook
from remediator.settings.load import Settings
from remediator.step import Action, Guard, Notifier, Step
from remediator.verifications.alert_cleared import AlertCleared
from remediator.verifications.promql import Promql as PromqlVerification
from remediator.verifications.rollout_complete import RolloutComplete


def _key_of(entry: Any) -> str | None:
    """The step an entry names: `rollback`, or the one key of `logs: {tail: 100}`."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Step):
        return entry.key()
    if isinstance(entry, Mapping) and len(entry) == 1:
        return str(next(iter(entry)))
    return None


def _fields_of(entry: Any) -> Any:
    """The fields an entry gives; `rollback` alone and `rollback:` give none."""
    if isinstance(entry, str):
        return {}
    if isinstance(entry, Mapping):
        fields = next(iter(entry.values()))
        return {} if fields is None else fields
    return entry


_NAMED = Discriminator(_key_of)
_FIELDS = BeforeValidator(_fields_of)

DiagnosticStep = Annotated[
    Annotated[Pods, _FIELDS, Tag("pods")]
    | Annotated[Events, _FIELDS, Tag("events")]
    | Annotated[Logs, _FIELDS, Tag("logs")]
    | Annotated[RolloutHistory, _FIELDS, Tag("rollout_history")]
    | Annotated[PromqlDiagnostic, _FIELDS, Tag("promql")],
    _NAMED,
]

GuardStep = Annotated[
    Annotated[ThisCluster, _FIELDS, Tag("this_cluster")]
    | Annotated[RuleInForce, _FIELDS, Tag("rule_in_force")]
    | Annotated[Protected, _FIELDS, Tag("protected")]
    | Annotated[OptedIn, _FIELDS, Tag("opted_in")]
    | Annotated[Pause, _FIELDS, Tag("pause")]
    | Annotated[Freeze, _FIELDS, Tag("freeze")]
    | Annotated[Storm, _FIELDS, Tag("storm")]
    | Annotated[MonitoringFresh, _FIELDS, Tag("monitoring_fresh")]
    | Annotated[AlertStillFiring, _FIELDS, Tag("alert_still_firing")]
    | Annotated[Budget, _FIELDS, Tag("budget")]
    | Annotated[CausedByRollout, _FIELDS, Tag("caused_by_rollout")]
    | Annotated[RolloutInProgress, _FIELDS, Tag("rollout_in_progress")]
    | Annotated[HumanActive, _FIELDS, Tag("human_active")]
    | Annotated[AsPlanned, _FIELDS, Tag("as_planned")]
    | Annotated[Owner, _FIELDS, Tag("owner")]
    | Annotated[Floor, _FIELDS, Tag("floor")]
    | Annotated[Quota, _FIELDS, Tag("quota")]
    | Annotated[Capacity, _FIELDS, Tag("capacity")]
    | Annotated[Autoscaled, _FIELDS, Tag("autoscaled")]
    | Annotated[Siblings, _FIELDS, Tag("siblings")]
    | Annotated[Migration, _FIELDS, Tag("migration")]
    | Annotated[NodeTrouble, _FIELDS, Tag("node_trouble")]
    | Annotated[Breaker, _FIELDS, Tag("breaker")]
    | Annotated[PingPong, _FIELDS, Tag("ping_pong")]
    | Annotated[RestartLoop, _FIELDS, Tag("restart_loop")]
    | Annotated[MaxAlertAge, _FIELDS, Tag("max_alert_age")]
    | Annotated[MinReplicas, _FIELDS, Tag("min_replicas")]
    | Annotated[PromqlGuard, _FIELDS, Tag("promql")]
    | Annotated[DependencyHealthy, _FIELDS, Tag("dependency_healthy")]
    | Annotated[AlertsCorrelated, _FIELDS, Tag("alerts_correlated")]
    | Annotated[Cooldown, _FIELDS, Tag("cooldown")]
    | Annotated[Limit, _FIELDS, Tag("limit")],
    _NAMED,
]

ActionStep = Annotated[
    Annotated[Rollback, _FIELDS, Tag("rollback")]
    | Annotated[Restart, _FIELDS, Tag("restart")]
    | Annotated[Scale, _FIELDS, Tag("scale")]
    | Annotated[EvictPod, _FIELDS, Tag("evict_pod")],
    _NAMED,
]

UNDO: Action = Undo()
"""What a person may ask for besides starting a rule. No rule names it: it is not among the steps of rule files."""

VerificationStep = Annotated[
    Annotated[RolloutComplete, _FIELDS, Tag("rollout_complete")]
    | Annotated[PromqlVerification, _FIELDS, Tag("promql")]
    | Annotated[AlertCleared, _FIELDS, Tag("alert_cleared")],
    _NAMED,
]


def _is_webhook(entry: Any) -> Any:
    """A union of one: pydantic's discriminator needs two, so the only notifier's name is checked here."""
    if _key_of(entry) != Webhook.key():
        raise ValueError(f"there is no notifier {_key_of(entry)!r}; there is: {Webhook.key()}")
    return _fields_of(entry)


NotifierStep = Annotated[Webhook, BeforeValidator(_is_webhook)]

ALWAYS_ON: tuple[Guard, ...] = (
    ThisCluster(),
    RuleInForce(),
    Protected(),
    OptedIn(),
    Pause(),
    Freeze(),
    Storm(),
    MonitoringFresh(),
    AlertStillFiring(),
    Budget(),
    CausedByRollout(),
    RolloutInProgress(),
    HumanActive(),
    AsPlanned(),
    Owner(),
    Floor(),
    Quota(),
    Capacity(),
    Autoscaled(),
    Siblings(),
    Migration(),
    NodeTrouble(),
    Breaker(),
    PingPong(),
    RestartLoop(),
)
"""Asked for every change of every rule. A rule may add its own, stricter one beside; none can be taken away."""


def always_on(settings: Settings) -> tuple[Guard, ...]:
    """The same, with the numbers that an operator chose for some of them."""
    storm = settings.storm
    chosen = {
        Budget: Budget(**dict(settings.budgets)),
        Storm: Storm(in_namespace=storm.in_namespace, anywhere=storm.anywhere, window=storm.window),
    }
    return tuple(chosen.get(type(each), each) for each in ALWAYS_ON)


def notifiers_of(settings: Settings) -> dict[str, Notifier]:
    """The configured notifiers by channel name. Raises Permanent when one is not of the catalogue."""
    adapter: TypeAdapter[Notifier] = TypeAdapter(NotifierStep)
    found: dict[str, Notifier] = {}
    for index, entry in enumerate(settings.notifiers):
        try:
            notifier = adapter.validate_python(entry)
        except ValidationError as mistakes:
            raise Permanent(f"notifiers[{index}]: {mistakes.errors()[0]['msg']}") from None
        found[f"{notifier.key()}:{index}"] = notifier
    return found
