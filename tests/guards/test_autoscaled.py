"""autoscaled: which autoscalers work on a workload."""

from typing import Any

import pytest

from remediator.guards.autoscaled import Autoscaled
from remediator.workloads.autoscalers import autoscalers_of
from tests.guards.changes import a_change, a_scaling

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


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
@pytest.mark.parametrize("action", ["scale", "undo"])
def test_whoever_owns_the_replicas_is_named_and_handed_over_to(kind: str, action: str) -> None:
    verdict = Autoscaled().judged(autoscalers_of(API, [autoscaler(kind, NAMED)]), a_scaling(2, 4, action))
    assert (verdict.answer, verdict.hands_over) == ("refuse", True)
    assert verdict.why == (
        f"{kind} a says how many replicas deployment/shop/api has: change its bounds, not the number"
    )


def test_what_was_switched_off_under_an_autoscaler_is_handed_over_with_the_command_that_wakes_it() -> None:
    found = autoscalers_of(API, [autoscaler("HorizontalPodAutoscaler", NAMED)])
    verdict = Autoscaled().judged(found, a_scaling(0, 3))
    assert verdict.hands_over
    assert verdict.why.endswith("kubectl -n shop scale deployment/api --replicas=3")


@pytest.mark.parametrize("change", [a_change("rollback"), a_change("restart"), a_scaling(2, 4)])
def test_an_autoscaler_of_sizes_stands_against_nothing(change: Any) -> None:
    found = autoscalers_of(API, [autoscaler("VerticalPodAutoscaler", NAMED)])
    assert Autoscaled().judged(found, change).answer == "allow"
