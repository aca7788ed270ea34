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
from remediator.diagnostics.app_metrics import AppMetrics
from remediator.diagnostics.config_changes import ConfigChanges
from remediator.diagnostics.describe import Describe
from remediator.diagnostics.endpoints import Endpoints
from remediator.diagnostics.events import Events
from remediator.diagnostics.hpa import Hpa
from remediator.diagnostics.http_probe import HttpProbe
from remediator.diagnostics.logs import Logs
from remediator.diagnostics.nodes import Nodes
from remediator.diagnostics.pg_activity import PgActivity
from remediator.diagnostics.pg_connections import PgConnections
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_index_report import PgIndexReport
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.diagnostics.pg_ping import PgPing
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.diagnostics.pods import Pods
from remediator.diagnostics.promql import Promql as PromqlDiagnostic
from remediator.diagnostics.promql_range import PromqlRange
from remediator.diagnostics.related_alerts import RelatedAlerts
from remediator.diagnostics.rollout_history import RolloutHistory
from remediator.diagnostics.schema_version import SchemaVersion
from remediator.diagnostics.slo import Slo
from remediator.diagnostics.sql_query import SqlQuery
from remediator.diagnostics.usage import Usage
from remediator.domain.procedure import Procedure
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
from remediator.guards.selector import Selector
from remediator.guards.siblings import Siblings
from remediator.guards.storm import Storm
from remediator.guards.this_cluster import ThisCluster
from remediator.notifiers.webhook import Webhook
from remediator.procedures.back_up_configuration import PROCEDURE as BACK_UP_CONFIGURATION
from remediator.procedures.back_up_database import PROCEDURE as BACK_UP_DATABASE
from remediator.procedures.downgrade_schema import PROCEDURE as DOWNGRADE_SCHEMA
from remediator.procedures.investigate_access import PROCEDURE as INVESTIGATE_ACCESS
from remediator.procedures.isolate_workload import PROCEDURE as ISOLATE_WORKLOAD
from remediator.procedures.profile_application import PROCEDURE as PROFILE_APPLICATION
from remediator.procedures.recover_system import PROCEDURE as RECOVER_SYSTEM
from remediator.procedures.rehearse_recovery import PROCEDURE as REHEARSE_RECOVERY
from remediator.procedures.repair_database import PROCEDURE as REPAIR_DATABASE
from remediator.procedures.restore_config_map import PROCEDURE as RESTORE_CONFIG_MAP
from remediator.procedures.restore_database import PROCEDURE as RESTORE_DATABASE
from remediator.procedures.revert_terraform import PROCEDURE as REVERT_TERRAFORM
from remediator.procedures.roll_back_to_revision import PROCEDURE as ROLL_BACK_TO_REVISION
from remediator.procedures.rotate_secret import PROCEDURE as ROTATE_SECRET
from remediator.procedures.set_hpa_bounds import PROCEDURE as SET_HPA_BOUNDS
from remediator.procedures.set_resources import PROCEDURE as SET_RESOURCES
from remediator.procedures.terminate_backend import PROCEDURE as TERMINATE_BACKEND
from remediator.procedures.update_dependencies import PROCEDURE as UPDATE_DEPENDENCIES
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
    | Annotated[Describe, _FIELDS, Tag("describe")]
    | Annotated[Endpoints, _FIELDS, Tag("endpoints")]
    | Annotated[Events, _FIELDS, Tag("events")]
    | Annotated[Logs, _FIELDS, Tag("logs")]
    | Annotated[Usage, _FIELDS, Tag("usage")]
    | Annotated[Hpa, _FIELDS, Tag("hpa")]
    | Annotated[Nodes, _FIELDS, Tag("nodes")]
    | Annotated[RolloutHistory, _FIELDS, Tag("rollout_history")]
    | Annotated[ConfigChanges, _FIELDS, Tag("config_changes")]
    | Annotated[HttpProbe, _FIELDS, Tag("http_probe")]
    | Annotated[AppMetrics, _FIELDS, Tag("app_metrics")]
    | Annotated[PromqlDiagnostic, _FIELDS, Tag("promql")]
    | Annotated[PromqlRange, _FIELDS, Tag("promql_range")]
    | Annotated[Slo, _FIELDS, Tag("slo")]
    | Annotated[RelatedAlerts, _FIELDS, Tag("related_alerts")]
    | Annotated[PgPing, _FIELDS, Tag("pg_ping")]
    | Annotated[PgConnections, _FIELDS, Tag("pg_connections")]
    | Annotated[PgActivity, _FIELDS, Tag("pg_activity")]
    | Annotated[PgSlowStatements, _FIELDS, Tag("pg_slow_statements")]
    | Annotated[PgDatabase, _FIELDS, Tag("pg_database")]
    | Annotated[PgIntegrity, _FIELDS, Tag("pg_integrity")]
    | Annotated[PgIndexReport, _FIELDS, Tag("pg_index_report")]
    | Annotated[SchemaVersion, _FIELDS, Tag("schema_version")]
    | Annotated[SqlQuery, _FIELDS, Tag("sql_query")],
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
    | Annotated[Selector, _FIELDS, Tag("selector")]
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


PROCEDURES: Mapping[str, Procedure] = {
    each.name: each
    for each in (
        BACK_UP_CONFIGURATION,
        BACK_UP_DATABASE,
        DOWNGRADE_SCHEMA,
        INVESTIGATE_ACCESS,
        ISOLATE_WORKLOAD,
        PROFILE_APPLICATION,
        RECOVER_SYSTEM,
        REHEARSE_RECOVERY,
        REPAIR_DATABASE,
        RESTORE_CONFIG_MAP,
        RESTORE_DATABASE,
        REVERT_TERRAFORM,
        ROLL_BACK_TO_REVISION,
        ROTATE_SECRET,
        SET_HPA_BOUNDS,
        SET_RESOURCES,
        TERMINATE_BACKEND,
        UPDATE_DEPENDENCIES,
    )
}
"""What a rule may have handed over to people, filled in. None of it is ever done by this daemon."""


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
