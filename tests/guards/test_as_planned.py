"""as_planned: what a plan rests on, and which changes of it stop the plan."""

from typing import Any

import pytest

from remediator.clients.basis import basis_of

Json = dict[str, Any]
NAMED = {"kind": "Deployment", "name": "api"}
NOTHING: dict[str, list[Json]] = {
    kind: []
    for kind in (
        "horizontalpodautoscaler",
        "scaledobject",
        "verticalpodautoscaler",
        "poddisruptionbudget",
        "rollout",
        "canary",
    )
}


def workload(uid: str = "u1", replicas: int = 2, annotations: Json | None = None, **spec: Any) -> Json:
    template = {"metadata": {"labels": {"app": "api"}}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop", "uid": uid, "annotations": annotations},
        "spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate"}, "template": template, **spec},
    }


def autoscaler(kind: str, field: str = "scaleTargetRef") -> Json:
    return {"kind": kind, "metadata": {"name": "api"}, "spec": {field: NAMED}}


def budget(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}}}


HPA = {"horizontalpodautoscaler": [autoscaler("HorizontalPodAutoscaler")]}
VPA = {"verticalpodautoscaler": [autoscaler("VerticalPodAutoscaler", "targetRef")]}


@pytest.mark.parametrize(
    ("now", "beside", "said"),
    [
        (workload(), {}, ()),
        (workload(uid="u2"), {}, ("it was deleted and made anew",)),
        (workload(replicas=3), {}, ("3 replicas are wanted, and 2 were",)),
        (workload(paused=True), {}, ("it is paused",)),
        (workload(strategy={"type": "Recreate"}), {}, ("its rollout strategy is another",)),
        (
            workload(annotations={"meta.helm.sh/release-name": "api"}),
            {},
            ("its owner Helm release api appeared",),
        ),
        (workload(), HPA, ("the autoscaler HorizontalPodAutoscaler api appeared",)),
        (workload(replicas=5), HPA, ("the autoscaler HorizontalPodAutoscaler api appeared",)),
        (workload(), VPA, ("the autoscaler VerticalPodAutoscaler api appeared",)),
        (workload(replicas=3), VPA, ("3 replicas are wanted, and 2 were", "the autoscaler Vertical")),
        (workload(), {"poddisruptionbudget": [budget("api", app="api")]}, ("the PodDisruptionBudget api",)),
        (workload(), {"poddisruptionbudget": [budget("web", app="web")]}, ()),
    ],
)
def test_what_changed_since_the_plan_is_said(
    now: Json, beside: dict[str, list[Json]], said: tuple[str, ...]
) -> None:
    planned_on = basis_of(workload(), NOTHING)
    found = planned_on.changes_to(basis_of(now, NOTHING | beside))
    assert len(found) == len(said), found
    assert all(told.startswith(wanted) for told, wanted in zip(found, said, strict=True)), found


def test_replicas_that_an_autoscaler_moves_are_no_change() -> None:
    planned_on = basis_of(workload(replicas=2), NOTHING | HPA)
    assert planned_on.changes_to(basis_of(workload(replicas=6), NOTHING | HPA)) == ()
    gone = planned_on.changes_to(basis_of(workload(replicas=6), NOTHING))
    assert gone == ("the autoscaler HorizontalPodAutoscaler api went away",)
