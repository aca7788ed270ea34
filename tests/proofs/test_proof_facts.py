"""A fact changes between approval and write: the change is not made, whichever fact and whichever change."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from remediator.app import assembled
from remediator.run import Run, State
from tests.proofs.scenes import ACTIONS, Action, Scene, Stage, other_rules, staged
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

Change = Callable[[Stage, Scene], None]


@dataclass(frozen=True)
class Fact:
    """What changes, and what the refusal that must follow says, as a regular expression."""

    change: Change
    said: str
    said_of: Mapping[Action, str] = field(default_factory=dict)
    """What is said instead of one of the actions."""
    undo: Change | None = None
    """Where the change reaches beyond the scene."""
    prepare: Change | None = None
    """What has to be so before the alert."""
    image: str | None = None
    """What a rollback goes away from."""
    settings: Callable[[Stage, Scene], Mapping[str, Any]] | None = None
    """With which the daemon is started anew, instead of anything changing in the cluster."""


def another_template(stage: Stage, scene: Scene) -> None:
    stage.release(scene, "app:v3")


def scaled_by_hand(stage: Stage, scene: Scene) -> None:
    stage.patch(scene, {"spec": {"replicas": 4}}, subresource="scale")


def paused(stage: Stage, scene: Scene) -> None:
    """A StatefulSet is not paused; what stands still there is what its partition keeps back."""
    held_back = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
    stage.patch(scene, {"spec": held_back if scene.action == "evict" else {"paused": True}})


def made_anew(stage: Stage, scene: Scene) -> None:
    emulator = stage.story.emulator
    made = scene.workload("app:v2" if scene.action == "rollback" else "app:v1")
    if scene.action == "evict":
        made["spec"]["replicas"] = 0  # the pods of the one before still have the names
    emulator.delete(scene.plural, scene.namespace, scene.name)
    emulator.create(made)


def owned_by_helm(stage: Stage, scene: Scene) -> None:
    stage.patch(scene, {"metadata": {"annotations": {"meta.helm.sh/release-name": "api"}}}, manager="helm")


def autoscaled(stage: Stage, scene: Scene) -> None:
    target = {"apiVersion": "apps/v1", "kind": scene.kind, "name": scene.name}
    stage.story.emulator.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "api", "namespace": scene.namespace},
            "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4},
        }
    )


def budgeted(stage: Stage, scene: Scene) -> None:
    stage.story.emulator.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "api", "namespace": scene.namespace},
            "spec": {"selector": {"matchLabels": {"app": scene.name}}, "maxUnavailable": 1},
        }
    )


def opted_out(stage: Stage, scene: Scene) -> None:
    labels = {"metadata": {"labels": {"remediator.io/enabled": None}}}
    stage.story.emulator.patch("namespaces", "", scene.namespace, labels)


def silenced(stage: Stage, scene: Scene) -> None:
    stage.story.alertmanager.silence({"namespace": scene.namespace})


def stopped(stage: Stage, scene: Scene) -> None:
    annotations = {"metadata": {"annotations": {"remediator.io/paused": "wait"}}}
    stage.story.emulator.patch("namespaces", "", scene.namespace, annotations)


def nothing(stage: Stage, scene: Scene) -> None:
    """It is the daemon that changes."""


def unready(stage: Stage, scene: Scene) -> None:
    """The kubelet finds no pod of it ready any more; its rollout was over long ago."""
    if scene.action not in ("restart", "scale"):
        return
    emulator, stamp = stage.story.emulator, stage.story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    for pod in emulator.list("pods", scene.namespace):
        conditions = [
            {**each, "status": "False", "lastTransitionTime": stamp}
            if each["type"] in ("Ready", "ContainersReady")
            else each
            for each in pod["status"]["conditions"]
        ]
        changed = {"status": {"conditions": conditions}}
        name = pod["metadata"]["name"]
        emulator.patch("pods", scene.namespace, name, changed, user="kubelet", subresource="status")


def cordoned(stage: Stage, scene: Scene) -> None:
    stage.story.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})


def uncordoned(stage: Stage, scene: Scene) -> None:
    stage.story.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": None}})


def without_the_rule(stage: Stage, scene: Scene) -> Mapping[str, Any]:
    return other_rules(stage.story)


def protecting(stage: Stage, scene: Scene) -> Mapping[str, Any]:
    return {"protected_targets": (f"{scene.kind.lower()}/{scene.namespace}/{scene.name}",)}


FACTS: dict[str, Fact] = {
    "template": Fact(another_template, "was changed since the plan was made|a rollout is in progress"),
    "replicas": Fact(scaled_by_hand, "as_planned: since the plan was made 4 replicas are wanted"),
    "paused": Fact(paused, "as_planned: since the plan was made"),
    # With the workload its pods are gone: what the eviction was to bring about is so, and nothing is sent.
    "uid": Fact(made_anew, "made anew", {"evict_pod": "^waiting for rollout_complete, alert_cleared$"}),
    "owner": Fact(owned_by_helm, "as_planned: since the plan was made its owner Helm release api"),
    "autoscaler": Fact(autoscaled, "as_planned: since the plan was made the autoscaler"),
    "disruption budget": Fact(budgeted, "as_planned: since the plan was made the PodDisruptionBudget"),
    "opt-in label": Fact(opted_out, "opted_in: "),
    "silence": Fact(silenced, "alert_still_firing: the alert is silenced"),
    "pause": Fact(stopped, "pause: "),
    "node trouble": Fact(cordoned, "node_trouble: ", undo=uncordoned, prepare=unready, image="app:crash-v2"),
    "protected list": Fact(nothing, "protected: ", settings=protecting),
    "rule": Fact(nothing, "rule_in_force: rule .* is not loaded any more", settings=without_the_rule),
}


def before_the_write(scene: Scene, state: State, made: int) -> bool:
    """Approved and nothing sent; of a StatefulSet's two changes the first is made and the second not."""
    return state is State.APPROVED and made == (scene.action == "evict")


def scene_of(fact: str, action: Action) -> Scene:
    image = FACTS[fact].image if fact in FACTS and action == "rollback" else None
    return Scene(f"{action} {fact}".replace(" ", "-").replace("_", "-"), action, image=image)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_proof_facts(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("driven") as dsn:
        wrong, refused, effects = asyncio.run(_all_of_them(tmp_path, dsn))
    proof("facts", facts=len(FACTS), actions=len(ACTIONS), refused=refused, effects=effects)
    assert wrong == {}
    assert refused == len(FACTS) * len(ACTIONS)


async def _all_of_them(tmp_path: Path, dsn: str) -> tuple[dict[str, str], int, int]:
    scenes = {(fact, action): scene_of(fact, action) for action in ACTIONS for fact in FACTS}
    unchanged = {action: scene_of("nothing", action) for action in ACTIONS}
    wrong: dict[str, str] = {}
    refused = effects = 0
    async with staged(tmp_path, dsn, [*scenes.values(), *unchanged.values()]) as stage:
        await stage.begin(lambda scene: _prepared(stage, scenes, scene))
        runs = await stage.stand(before_the_write)
        for (fact, action), scene in scenes.items():
            run = runs[scene.namespace]
            before = stage.effects(scene.namespace)
            await _changed(stage, FACTS[fact], scene, run)
            why = await stage.why(run)
            made = stage.effects(scene.namespace)[len(before) :]
            effects += len(made)
            if made or not re.search(FACTS[fact].said_of.get(action, FACTS[fact].said), why):
                wrong[scene.namespace] = f"{made}: {why}"
            else:
                refused += 1
        for scene in unchanged.values():
            before = stage.effects(scene.namespace)
            await stage.go_on(runs[scene.namespace])
            if not stage.effects(scene.namespace)[len(before) :]:
                wrong[scene.namespace] = (
                    f"nothing changed and it did not act: {await stage.why(runs[scene.namespace])}"
                )
    return wrong, refused, effects


def _prepared(stage: Stage, scenes: Mapping[tuple[str, Action], Scene], scene: Scene) -> None:
    for (fact, _), of_fact in scenes.items():
        prepare = FACTS[fact].prepare
        if of_fact is scene and prepare is not None:
            prepare(stage, scene)


async def _changed(stage: Stage, fact: Fact, scene: Scene, run: Run) -> None:
    """The fact changes, and the run goes on."""
    fact.change(stage, scene)
    if fact.settings is None:
        await stage.go_on(run)
    else:
        settings = stage.story.daemon.settings.model_copy(update=dict(fact.settings(stage, scene)))
        async with assembled(settings, stage.story.clock) as started_anew:
            await started_anew.rules.reload()
            await stage.go_on(run, started_anew.worker)
    if fact.undo is not None:
        fact.undo(stage, scene)
