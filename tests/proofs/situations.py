"""Situations, and what all guards together have to say of each change. That they allow the cure is required as well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.scenes import ACTIONS, Action, Scene, Stage

Do = Callable[[Stage, Scene], None]

ALLOW = "allow"
NOT_PROPOSED = "not proposed"
"""The action itself finds nothing to do, or waits."""


@dataclass(frozen=True)
class Situation:
    """How a scene is, and what is said of each change: `allow`, or the guards that stand in the way."""

    expected: Mapping[Action, str]
    images: Mapping[Action, str] = field(default_factory=dict)
    """What was released four minutes ago instead of what the action needs."""
    annotations: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    spec: Mapping[str, Any] | None = None
    before: Do | None = None
    """Done before the release."""
    after: Do | None = None
    """Done before the alert."""
    then: Do | None = None
    """Done when the plan stands, before the guards are asked."""
    undo: Do | None = None

    def scene(self, namespace: str, action: Action) -> Scene:
        return Scene(
            namespace,
            action,
            annotations=self.annotations,
            labels=self.labels,
            spec=self.spec,
            image=self.images.get(action),
        )


def all_five(word: str) -> Mapping[Action, str]:
    return dict.fromkeys(ACTIONS, word)


def stuck(image: str, restart: str = "rollout_in_progress") -> Situation:
    return Situation(
        {"rollback": ALLOW, "restart": restart, "scale": "rollout_in_progress"},
        {"rollback": image, "restart": image, "scale": image},
    )


def beside(thing: Mapping[str, Any]) -> Do:
    """Something stands in the namespace as well."""

    def make(stage: Stage, scene: Scene) -> None:
        filled = {**thing, "metadata": {"name": "beside", "namespace": scene.namespace}}
        reference = {"apiVersion": "apps/v1", "kind": scene.kind, "name": scene.name}
        spec = dict(thing["spec"])
        if "scaleTargetRef" in spec:
            spec["scaleTargetRef"] = reference
        if "selector" in spec:
            spec["selector"] = {"matchLabels": {"app": scene.name}}
        stage.story.emulator.create({**filled, "spec": spec})

    return make


def patched(change: Mapping[str, Any]) -> Do:
    return lambda stage, scene: stage.patch(scene, dict(change))


def namespace_with(**metadata: Mapping[str, str | None]) -> Do:
    return lambda stage, scene: void(
        stage.story.emulator.patch("namespaces", "", scene.namespace, {"metadata": metadata})
    )


def void(_: object) -> None:
    """Nothing, of anything."""


def a_sibling(stage: Stage, scene: Scene) -> None:
    """Another workload of the same release, which gets its new version at the same time."""
    made = scene.workload("app:v1")
    made["metadata"] = {"name": "web", "namespace": scene.namespace, "labels": dict(scene.labels or {})}
    made["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    made["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
    stage.story.emulator.create(made)


def silenced(stage: Stage, scene: Scene) -> None:
    stage.story.alertmanager.silence({"namespace": scene.namespace})


def cordon(stage: Stage, scene: Scene) -> None:
    stage.story.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})


def uncordon(stage: Stage, scene: Scene) -> None:
    stage.story.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": None}})


AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "spec": {"scaleTargetRef": None, "minReplicas": 1, "maxReplicas": 4},
}
TIGHT = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "spec": {"selector": None, "maxUnavailable": 0},
}
FULL = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "spec": {"hard": {"pods": "2"}},
    "status": {"hard": {"pods": "2"}, "used": {"pods": "2"}},
}
JOB: Mapping[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "spec": {}}
HELM = {"meta.helm.sh/release-name": "api", "meta.helm.sh/release-namespace": "shop"}
ONE_ENDED_FIRST = {"replicas": 1, "strategy": {"type": "Recreate"}}
NEVER_BELOW = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}

SITUATIONS: Mapping[str, Situation] = {
    "a bad release that is ready": Situation(all_five(ALLOW)),
    "a bad release that crashes": stuck("app:crash-v2"),
    "a bad release that never becomes ready": stuck("app:never-ready-v2"),
    "a release whose image is gone": stuck("app:missing-v2", "restart_loop rollout_in_progress"),
    "no release, and the pods hang": Situation(
        {"rollback": NOT_PROPOSED, "restart": ALLOW, "scale": ALLOW}, {"rollback": "app:v1"}
    ),
    "a release that is paused": Situation(
        # When that release began cannot be told either: nothing has been made of it.
        {
            "rollback": NOT_PROPOSED,
            **dict.fromkeys(("restart", "evict_pod"), "human_active rollout_in_progress"),
        },
        {"restart": "app:v2"},
        before=patched({"spec": {"paused": True}}),
    ),
    "an autoscaler works on it": Situation(
        {**all_five(ALLOW), "scale": "autoscaled"}, before=beside(AUTOSCALER)
    ),
    "Helm owns it": Situation(all_five(ALLOW), annotations=HELM),
    "Argo CD owns it": Situation(
        {"rollback": "owner", "restart": ALLOW, "evict": ALLOW, "evict_pod": ALLOW, "scale": "owner"},
        labels={"argocd.argoproj.io/instance": "shop"},
    ),
    "Argo CD owns it and heals nothing": Situation(
        {"rollback": "owner", "restart": ALLOW, "evict": ALLOW, "scale": "owner"},
        labels={"argocd.argoproj.io/instance": "shop"},
        annotations={"remediator.io/argocd-self-heal": "false"},
    ),
    "Flux owns it": Situation(
        {"rollback": "owner", "restart": ALLOW, "evict": ALLOW, "evict_pod": ALLOW, "scale": "owner"},
        labels={"kustomize.toolkit.fluxcd.io/name": "shop"},
    ),
    "a budget leaves no disruption": Situation(all_five(ALLOW), before=beside(TIGHT)),
    "one pod that is ended first": Situation(
        {"rollback": "floor", "restart": "floor", "evict_pod": ALLOW, "scale": ALLOW}, spec=ONE_ENDED_FIRST
    ),
    "one pod that may be interrupted": Situation(
        {"rollback": ALLOW, "restart": ALLOW},
        spec=ONE_ENDED_FIRST,
        annotations={"remediator.io/interruptible": "true"},
    ),
    "one pod with room for another": Situation({"rollback": ALLOW, "restart": ALLOW}, spec={"replicas": 1}),
    "a migration runs": Situation(
        {"rollback": "migration", "restart": ALLOW, "evict": ALLOW, "evict_pod": ALLOW, "scale": ALLOW},
        annotations={"remediator.io/migration-job": "beside"},
        after=beside(JOB),
    ),
    "the quota is full": Situation(
        {"rollback": "quota", "restart": "quota", "evict": ALLOW, "evict_pod": ALLOW, "scale": "quota"},
        spec=NEVER_BELOW,
        after=beside(FULL),
    ),
    "released together with another": Situation(
        {"rollback": "siblings", "restart": ALLOW},
        {"restart": "app:v2"},
        labels={"app.kubernetes.io/instance": "shop"},
        after=a_sibling,
    ),
    "somebody is at work on it": Situation(
        all_five("human_active"),
        after=patched({"spec": {"revisionHistoryLimit": 5}}),
    ),
    "its node is cordoned": Situation(
        {
            "rollback": "node_trouble",
            "restart": ALLOW,
            "evict": "node_trouble",
            "evict_pod": "node_trouble",
            "scale": ALLOW,
        },
        {"rollback": "app:crash-v2"},
        then=cordon,
        undo=uncordon,
    ),
    "the alert is silenced": Situation(all_five("alert_still_firing"), then=silenced),
    "its namespace is paused": Situation(
        all_five("pause"), then=namespace_with(annotations={"remediator.io/paused": "wait"})
    ),
    "its namespace has not opted in": Situation(
        all_five("opted_in"), then=namespace_with(labels={"remediator.io/enabled": None})
    ),
    "it is scaled by hand": Situation(
        all_five("as_planned"),
        then=lambda stage, scene: stage.patch(scene, {"spec": {"replicas": 5}}, subresource="scale"),
    ),
}
