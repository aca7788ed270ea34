"""autoscaled: which autoscalers work on a workload."""

from typing import Any

import pytest

from remediator.workloads.autoscalers import autoscalers_of

API = {"kind": "Deployment", "metadata": {"name": "api"}}


def autoscaler(kind: str, target: dict[str, str], mode: str | None = None) -> dict[str, Any]:
    field = "targetRef" if kind == "VerticalPodAutoscaler" else "scaleTargetRef"
    spec: dict[str, Any] = {field: target}
    if mode is not None:
        spec["updatePolicy"] = {"updateMode": mode}
    return {"kind": kind, "metadata": {"name": "a"}, "spec": spec}


NAMED = {"kind": "Deployment", "name": "api"}


@pytest.mark.parametrize(
    ("found", "touches"),
    [
        (autoscaler("HorizontalPodAutoscaler", NAMED), ["replicas"]),
        (autoscaler("HorizontalPodAutoscaler", {"kind": "StatefulSet", "name": "api"}), []),
        (autoscaler("HorizontalPodAutoscaler", {"kind": "Deployment", "name": "web"}), []),
        (autoscaler("ScaledObject", {"name": "api"}), ["replicas"]),
        (autoscaler("VerticalPodAutoscaler", NAMED), ["pods"]),
        (autoscaler("VerticalPodAutoscaler", NAMED, "Auto"), ["pods"]),
        (autoscaler("VerticalPodAutoscaler", NAMED, "Recreate"), ["pods"]),
        (autoscaler("VerticalPodAutoscaler", NAMED, "Initial"), []),
        (autoscaler("VerticalPodAutoscaler", NAMED, "Off"), []),
        ({"kind": "HorizontalPodAutoscaler", "metadata": {}, "spec": None}, []),
    ],
)
def test_what_names_it_and_acts_is_known(found: dict[str, Any], touches: list[str]) -> None:
    assert [each.touches for each in autoscalers_of(API, [found])] == touches
