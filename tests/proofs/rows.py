"""For every guard: when it allows, when it alone stands in the way, and which failures it may overlook and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

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
from remediator.guards.promql import Promql
from remediator.guards.protected import Protected
from remediator.guards.quota import Quota
from remediator.guards.restart_loop import RestartLoop
from remediator.guards.rollout_in_progress import RolloutInProgress
from remediator.guards.rule_in_force import RuleInForce
from remediator.guards.selector import Selector
from remediator.guards.siblings import Siblings
from remediator.guards.storm import Storm
from remediator.guards.this_cluster import ThisCluster
from remediator.step import Guard
from tests.proofs.alone import (
    BUDGET,
    FULL,
    MIGRATION,
    OF_ANOTHER_VERSION,
    Alone,
    a_bad_number,
    a_pod_without_a_node,
    a_storm_is_on,
    an_autoscaler_owns_its_replicas,
    an_ill_dependency,
    attempted,
    beside,
    five_effects_elsewhere,
    frozen,
    hours_later,
    its_breaker_is_open,
    its_node_is_cordoned,
    namespace_with,
    of_no_cluster,
    paused,
    protected_by_name,
    restarted_twice,
    silenced,
    standing,
    without_its_rule,
    without_watchdog,
)
from tests.proofs.asking import Question
from tests.proofs.guard_scenes import GuardStage


@dataclass(frozen=True)
class Row:
    """One guard in one kind of question."""

    guard: Guard
    alone: Alone
    """The situation in which it stands in the way, and nothing else does."""
    allows: Callable[[GuardStage], Question] = field(default=lambda stage: stage.question("base"))
    says: str = "refuse"
    """What it says when it stands alone."""
    overlooks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Failures of a source (the end of its path, the outcome) after which it still allows, each with the reason."""

    @property
    def always_on(self) -> bool:
        return type(self.guard) not in _OF_RULES


_OF_RULES = (AlertsCorrelated, Cooldown, DependencyHealthy, Limit, MaxAlertAge, MinReplicas, Promql, Selector)


UNKNOWN_KIND = "a cluster without this kind of its own has none of them"

ROWS: tuple[Row, ...] = (
    Row(ThisCluster(), of_no_cluster),
    Row(RuleInForce(), without_its_rule),
    Row(
        Protected(),
        protected_by_name,
        overlooks={
            (end, "401 or 403"): "without the right to list webhooks their backends are known by their names"
            for end in ("/validatingwebhookconfigurations", "/mutatingwebhookconfigurations")
        },
    ),
    Row(OptedIn(), namespace_with(labels={"remediator.io/enabled": None})),
    Row(Freeze(), frozen),
    Row(
        Pause(),
        paused,
        overlooks={("/deployments/api", "404"): "what does not exist is refused by opted_in"},
    ),
    Row(MonitoringFresh(), without_watchdog),
    Row(AlertStillFiring(), silenced),
    Row(
        CausedByRollout(),
        standing("old"),
        overlooks={
            (
                "/rules",
                outcome,
            ): "how long the rule waited can only widen a window that is wide enough already"
            for outcome in ("raises", "empty", "malformed", "401 or 403", "404", "429", "500", "half a page")
        }
        | {("/rules", "times out"): "as above"}
        | {("/rules", outcome): "rules hold no samples" for outcome in ("NaN", "stale")},
    ),
    Row(RolloutInProgress(), standing("moving")),
    Row(HumanActive(), standing("human")),
    Row(
        AsPlanned(),
        beside("poddisruptionbudgets", BUDGET),
        overlooks={
            (end, "404"): UNKNOWN_KIND
            for end in ("/scaledobjects", "/verticalpodautoscalers", "/rollouts", "/canaries")
        },
    ),
    Row(
        Owner(),
        standing("flux"),
        overlooks={(end, "404"): UNKNOWN_KIND for end in ("/rollouts", "/canaries")},
    ),
    Row(Floor(), standing("recreate"), says="ask"),
    Row(
        Floor(),
        standing("recreate"),
        allows=lambda stage: stage.eviction("base"),
        says="ask",
        overlooks={("/pods/*", "404"): "a pod that is gone is not lost by evicting it"},
    ),
    Row(Quota(), beside("resourcequotas", FULL)),
    Row(Capacity(), a_pod_without_a_node, allows=lambda stage: stage.scaling("base")),
    Row(
        Autoscaled(),
        standing("scaled"),
        says="allow",
        overlooks={(end, "404"): UNKNOWN_KIND for end in ("/scaledobjects", "/verticalpodautoscalers")},
    ),
    Row(
        Autoscaled(),
        an_autoscaler_owns_its_replicas,
        allows=lambda stage: stage.scaling("base"),
        overlooks={(end, "404"): UNKNOWN_KIND for end in ("/scaledobjects", "/verticalpodautoscalers")},
    ),
    Row(Siblings(), standing("together"), allows=lambda stage: stage.question("released"), says="ask"),
    Row(Migration(), beside("jobs", MIGRATION)),
    Row(NodeTrouble(), its_node_is_cordoned, allows=lambda stage: stage.question("crashing")),
    Row(Storm(in_namespace=1000, anywhere=1000), a_storm_is_on),
    Row(Budget(everywhere=5, unsettled=5), five_effects_elsewhere),
    Row(Breaker(), its_breaker_is_open),
    Row(RestartLoop(), restarted_twice, allows=lambda stage: stage.question("restart")),
    Row(PingPong(), attempted()),
    Row(Cooldown(), attempted(from_revision="a", to_revision="b")),
    Row(Limit(effects=1, per=timedelta(hours=6), of="target"), attempted(from_revision="a", to_revision="b")),
    Row(Promql(query="up_ratio", above=0.5), a_bad_number),
    Row(
        DependencyHealthy(),
        an_ill_dependency,
        allows=lambda stage: stage.depending("base", "deployment/scaled/api"),
    ),
    Row(Selector(), beside("services", OF_ANOTHER_VERSION)),
    Row(MinReplicas(replicas=2), standing("single")),
    Row(MaxAlertAge(age=timedelta(hours=1)), hours_later),
    Row(AlertsCorrelated(), standing("base"), allows=lambda stage: stage.question("two")),
)
