"""For every guard: when it allows, when it alone stands in the way, and which failures it may overlook and why."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from remediator.guards.alert_still_firing import AlertStillFiring
from remediator.guards.alerts_correlated import AlertsCorrelated
from remediator.guards.as_planned import AsPlanned
from remediator.guards.autoscaled import Autoscaled
from remediator.guards.budget import Budget
from remediator.guards.caused_by_rollout import CausedByRollout
from remediator.guards.cooldown import Cooldown
from remediator.guards.dependency_healthy import DependencyHealthy
from remediator.guards.floor import Floor
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
from remediator.guards.rollout_in_progress import RolloutInProgress
from remediator.guards.siblings import Siblings
from remediator.guards.storm import Storm
from remediator.guards.this_cluster import ThisCluster
from remediator.settings.sections import Cluster
from remediator.step import Guard
from tests.proofs.asking import Question
from tests.proofs.guard_scenes import GuardStage

Alone = Callable[[GuardStage], AbstractAsyncContextManager[Question]]


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


_OF_RULES = (AlertsCorrelated, Cooldown, DependencyHealthy, Limit, MaxAlertAge, MinReplicas, Promql)


def standing(namespace: str) -> Alone:
    """A scene in which it is so from the beginning."""

    @asynccontextmanager
    async def situation(stage: GuardStage) -> AsyncIterator[Question]:
        yield stage.question(namespace)

    return situation


@asynccontextmanager
async def of_no_cluster(stage: GuardStage) -> AsyncIterator[Question]:
    stage.story.alertmanager.fire({"alertname": "Watchdog", "cluster": "default"})
    yield replace(stage.question("base"), settings={"cluster": Cluster(label="cluster")})
    stage.story.alertmanager.resolve({"alertname": "Watchdog", "cluster": "default"})


@asynccontextmanager
async def protected_by_name(stage: GuardStage) -> AsyncIterator[Question]:
    yield replace(stage.question("base"), settings={"protected_targets": ("deployment/base/api",)})


def namespace_with(**metadata: Mapping[str, str | None]) -> Alone:
    @asynccontextmanager
    async def situation(stage: GuardStage) -> AsyncIterator[Question]:
        stage.story.emulator.patch("namespaces", "", "base", {"metadata": metadata})
        yield stage.question("base")
        gone = {kind: dict.fromkeys(values) for kind, values in metadata.items()}
        usual = {"labels": {"remediator.io/enabled": "true"}}
        stage.story.emulator.patch("namespaces", "", "base", {"metadata": {**gone, **usual}})

    return situation


@asynccontextmanager
async def without_watchdog(stage: GuardStage) -> AsyncIterator[Question]:
    stage.story.alertmanager.resolve({"alertname": "Watchdog"})
    yield stage.question("base")
    stage.story.alertmanager.fire({"alertname": "Watchdog"})


@asynccontextmanager
async def silenced(stage: GuardStage) -> AsyncIterator[Question]:
    silence = stage.story.alertmanager.silence({"namespace": "base"})
    yield stage.question("base")
    stage.story.alertmanager.unsilence(silence)


def beside(plural: str, thing: Mapping[str, Any]) -> Alone:
    """Something stands in the namespace as well."""

    @asynccontextmanager
    async def situation(stage: GuardStage) -> AsyncIterator[Question]:
        made = {**thing, "metadata": {"name": "beside", "namespace": "base", **thing.get("metadata", {})}}
        stage.story.emulator.create(made)
        yield stage.question("base")
        stage.story.emulator.delete(plural, "base", "beside")

    return situation


BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "spec": {"selector": {"matchLabels": {"app": "api"}}, "maxUnavailable": 1},
}
FULL = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "spec": {"hard": {"pods": "2"}},
    "status": {"hard": {"pods": "2"}, "used": {"pods": "2"}},
}
MIGRATION = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "beside"}, "spec": {}}


def attempted(**revisions: str) -> Alone:
    """Another run changed the target a minute ago; `revisions` are of the change, else those of our own."""

    @asynccontextmanager
    async def situation(stage: GuardStage) -> AsyncIterator[Question]:
        question = stage.question("base")
        attempt = await stage.attempt(question, 0, **revisions)
        yield question
        await stage.forget_attempt(attempt)

    return situation


@asynccontextmanager
async def five_effects_elsewhere(stage: GuardStage) -> AsyncIterator[Question]:
    made = [await stage.attempt(stage.question("two"), index) for index in range(5)]
    yield stage.question("base")
    for each in made:
        await stage.forget_attempt(each)


@asynccontextmanager
async def a_storm_is_on(stage: GuardStage) -> AsyncIterator[Question]:
    async with stage.story.daemon.database.connection() as connection:
        await connection.execute(
            "insert into storms (namespace, ends_at) values ('base', remediator_now() + interval '1 hour')"
        )
        yield stage.question("base")
        await connection.execute("delete from storms")


@asynccontextmanager
async def its_node_is_cordoned(stage: GuardStage) -> AsyncIterator[Question]:
    emulator = stage.story.emulator
    emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    yield stage.question("crashing")
    emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": None}})


@asynccontextmanager
async def hours_later(stage: GuardStage) -> AsyncIterator[Question]:
    """A restart, of which no guard asks what caused the alert."""
    question = stage.question("restart")
    assert question.run.view.alert is not None
    earlier = question.run.view.alert.starts_at - timedelta(hours=2)
    yield replace(question, run=stage.with_alert_since(question.run, earlier))


@asynccontextmanager
async def a_bad_number(stage: GuardStage) -> AsyncIterator[Question]:
    stage.story.prometheus.answer("up_ratio", 0.2)
    yield stage.question("base")
    stage.story.prometheus.answer("up_ratio", 0.9)


@asynccontextmanager
async def an_ill_dependency(stage: GuardStage) -> AsyncIterator[Question]:
    yield stage.depending("base", "deployment/base/ill")


UNKNOWN_KIND = "a cluster without this kind of its own has none of them"

ROWS: tuple[Row, ...] = (
    Row(ThisCluster(), of_no_cluster),
    Row(
        Protected(),
        protected_by_name,
        overlooks={
            (end, "401 or 403"): "without the right to list webhooks their backends are known by their names"
            for end in ("/validatingwebhookconfigurations", "/mutatingwebhookconfigurations")
        },
    ),
    Row(OptedIn(), namespace_with(labels={"remediator.io/enabled": None})),
    Row(
        Pause(),
        namespace_with(annotations={"remediator.io/paused": "wait"}),
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
    Row(
        Autoscaled(),
        standing("scaled"),
        says="allow",
        overlooks={(end, "404"): UNKNOWN_KIND for end in ("/scaledobjects", "/verticalpodautoscalers")},
    ),
    Row(Siblings(), standing("together"), allows=lambda stage: stage.question("released"), says="ask"),
    Row(Migration(), beside("jobs", MIGRATION)),
    Row(NodeTrouble(), its_node_is_cordoned, allows=lambda stage: stage.question("crashing")),
    Row(Storm(in_namespace=1000, anywhere=1000), a_storm_is_on),
    Row(Budget(everywhere=5, unsettled=5), five_effects_elsewhere),
    Row(PingPong(), attempted()),
    Row(Cooldown(), attempted(from_revision="a", to_revision="b")),
    Row(Limit(effects=1, per=timedelta(hours=6), of="target"), attempted(from_revision="a", to_revision="b")),
    Row(Promql(query="up_ratio", above=0.5), a_bad_number),
    Row(
        DependencyHealthy(),
        an_ill_dependency,
        allows=lambda stage: stage.depending("base", "deployment/scaled/api"),
    ),
    Row(MinReplicas(replicas=2), standing("single")),
    Row(MaxAlertAge(age=timedelta(hours=1)), hours_later),
    Row(AlertsCorrelated(), standing("base"), allows=lambda stage: stage.question("two")),
)
