"""Situations in which one guard stands in the way and no other; each is undone again where it reaches further."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from remediator.settings.sections import Cluster
from tests.proofs.asking import Question
from tests.proofs.guard_scenes import GuardStage
from tests.proofs.scenes import other_rules

Alone = Callable[[GuardStage], AbstractAsyncContextManager[Question]]


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
        stage.story.emulator.delete(plural, "base", made["metadata"]["name"])

    return situation


BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "spec": {"selector": {"matchLabels": {"app": "api"}}, "maxUnavailable": 1},
}
OF_ANOTHER_VERSION = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api"},
    "spec": {"selector": {"app": "api", "version": "v9"}, "ports": [{"port": 80}]},
}
FULL = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "spec": {"hard": {"pods": "2"}},
    "status": {"hard": {"pods": "2"}, "used": {"pods": "2"}},
}
MIGRATION = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "beside"}, "spec": {}}


@asynccontextmanager
async def a_pod_without_a_node(stage: GuardStage) -> AsyncIterator[Question]:
    """The plan was made when three were wanted already, and the third finds no node."""
    emulator, scene = stage.story.emulator, stage.scenes["base"]
    emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    stage.patch(scene, {"spec": {"replicas": 3}}, subresource="scale")
    await emulator.catch_up()
    await stage.remembers_replicas("base", 3)
    yield stage.scaling("base", replicas=3)
    await stage.remembers_replicas("base", 2)
    stage.patch(scene, {"spec": {"replicas": 2}}, subresource="scale")
    emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": None}})
    await emulator.catch_up()


@asynccontextmanager
async def an_autoscaler_owns_its_replicas(stage: GuardStage) -> AsyncIterator[Question]:
    yield stage.scaling("scaled")


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
async def without_its_rule(stage: GuardStage) -> AsyncIterator[Question]:
    yield replace(stage.question("base"), settings=other_rules(stage.story))


@asynccontextmanager
async def its_breaker_is_open(stage: GuardStage) -> AsyncIterator[Question]:
    async with stage.story.daemon.database.connection() as connection:
        await connection.execute(
            """insert into breaker_openings (cluster, kind, namespace, name, until, why, rules)
               values ('default', 'deployment', 'base', 'api', remediator_now() + interval '1 hour', 'twice', '{}')"""
        )
        yield stage.question("base")
        await connection.execute("delete from breaker_openings")


@asynccontextmanager
async def restarted_twice(stage: GuardStage) -> AsyncIterator[Question]:
    question = stage.question("restart")
    made = [await stage.attempt(question, index, action="restart") for index in range(2)]
    yield question
    for each in made:
        await stage.forget_attempt(each)


@asynccontextmanager
async def paused(stage: GuardStage) -> AsyncIterator[Question]:
    """By annotation, which latches a pause that people end."""
    async with namespace_with(annotations={"remediator.io/paused": "wait"})(stage) as question:
        yield question
    async with stage.story.daemon.database.connection() as connection:
        await connection.execute("delete from pauses")


@asynccontextmanager
async def frozen(stage: GuardStage) -> AsyncIterator[Question]:
    async with stage.story.daemon.database.connection() as connection:
        await connection.execute(
            """insert into pauses (scope, value, kind, name, who, why, until)
               values ('namespace', 'base', 'freeze', 'sale', 'kim', 'sale', remediator_now() + interval '1 hour')"""
        )
        yield stage.question("base")
        await connection.execute("delete from pauses")


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
