"""What moves metadata.generation, kind by kind, as generation.json tallies it of a real API server."""

import copy

import pytest

from tests.sandbox.kubernetes_client import Json, World
from tests.sandbox.kubernetes_recordings import load

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
NOT_EMULATED = {"batch/v1 cronjobs", "batch/v1 jobs", "coordination.k8s.io/v1 leases"}
"""Writes of these are answered with 501."""
TALLIES = {tally["name"]: tally["steps"] for tally in load("generation")["exchanges"]}
_LABELS = {"app": "g"}
_TEMPLATE: Json = {
    "metadata": {"labels": _LABELS},
    "spec": {"nodeSelector": {"disk": "none"}, "containers": [{"name": "web", "image": "web:v1"}]},
}
_SELECTED: Json = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "g"}
KINDS: dict[str, tuple[str, Json, Json]] = {
    "apps/v1 deployments": ("Deployment", {"spec": {"replicas": 0, **_SELECTED}}, {"minReadySeconds": 1}),
    "apps/v1 replicasets": ("ReplicaSet", {"spec": {"replicas": 0, **_SELECTED}}, {"minReadySeconds": 1}),
    "apps/v1 statefulsets": (
        "StatefulSet",
        {"spec": {"replicas": 0, "serviceName": "g", **_SELECTED}},
        {"minReadySeconds": 1},
    ),
    "apps/v1 daemonsets": ("DaemonSet", {"spec": _SELECTED}, {"minReadySeconds": 1}),
    "autoscaling/v2 horizontalpodautoscalers": (
        "HorizontalPodAutoscaler",
        {"spec": {"scaleTargetRef": _TARGET, "maxReplicas": 3}},
        {"maxReplicas": 4},
    ),
    "policy/v1 poddisruptionbudgets": (
        "PodDisruptionBudget",
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": _LABELS}}},
        {"minAvailable": 2},
    ),
    "v1 pods": ("Pod", {"spec": _TEMPLATE["spec"]}, {"activeDeadlineSeconds": 60}),
    "v1 configmaps": ("ConfigMap", {"data": {"a": "1"}}, {}),
    "v1 services": ("Service", {"spec": {"ports": [{"port": 80}]}}, {"sessionAffinity": "ClientIP"}),
}
"""Of each kind: an object, and a change of its spec (of a ConfigMap, of its data)."""


@pytest.mark.parametrize("name", KINDS)
async def test_the_generation_moves_as_was_recorded(world: World, name: str) -> None:
    api_version, plural = name.split()
    kind, obj, change = KINDS[name]
    prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    path = f"{prefix}/namespaces/default/{plural}"
    metadata = {"name": "g", "labels": _LABELS}
    made = await world.client.create(
        path, {"apiVersion": api_version, "kind": kind, "metadata": metadata, **copy.deepcopy(obj)}
    )
    seen: list[Json] = [{"step": "create", "status": 201, "generation": made["metadata"].get("generation")}]
    spec = {"spec": change} if change else {"data": {"a": "2"}}
    patches: list[tuple[str, Json]] = [
        ("label", {"metadata": {"labels": {"team": "payments"}}}),
        ("annotation", {"metadata": {"annotations": {"team": "payments"}}}),
        ("spec", spec),
        ("nothing (same spec again)", spec),
    ]
    for step, patch in patches:
        before = (await world.client.get(f"{path}/g"))["metadata"]
        answer = await world.client.patch(f"{path}/g", patch, STRATEGIC_MERGE)
        after = answer.body["metadata"]
        seen.append(
            {
                "step": step,
                "status": answer.status,
                "generation_before": before.get("generation"),
                "generation": after.get("generation"),
                "resourceVersion_changed": before["resourceVersion"] != after["resourceVersion"],
            }
        )
    await world.cluster.advance(2)
    later = await world.client.get(f"{path}/g")
    observed = later.get("status", {}).get("observedGeneration")
    step = "later, after the controllers"
    seen.append(
        {"step": step, "generation": later["metadata"].get("generation"), "observedGeneration": observed}
    )
    assert seen == TALLIES[name]


def test_every_kind_tallied_is_tried_or_refused() -> None:
    assert set(TALLIES) == set(KINDS) | NOT_EMULATED
