"""The recovery function, over every combination of what the object may show."""

import itertools

import pytest

from remediator.domain.change import TemplatePatch
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.effects.recovery import Conclusion, Seen, conclude

MARKER = "7/0/0"


def template(image: str) -> JsonObject:
    return {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


CHANGE = TemplatePatch(
    action="rollback",
    target=Target(cluster="c", kind="deployment", namespace="shop", name="api"),
    uid="uid-1",
    from_template=template("app:v2"),
    to_template=template("app:v1"),
    from_title="revision 2 (app:v2)",
    to_title="revision 1 (app:v1)",
    summary="roll back",
)
STATES = {"from": "app:v2", "to": "app:v1", "neither": "app:v3"}
MARKERS = {"ours": MARKER, "another attempt's": "6/0/0", "none": None}


def workload(uid: str, marker: str | None, image: str) -> JsonObject:
    annotations = {"remediator.io/attempt": marker} if marker is not None else {}
    return {"metadata": {"uid": uid, "annotations": annotations}, "spec": {"template": template(image)}}


EXPECTED = {
    ("ours", "to"): Conclusion.APPLIED,
    ("ours", "from"): Conclusion.APPLIED_THEN_CHANGED,
    ("ours", "neither"): Conclusion.APPLIED_THEN_CHANGED,
    ("another attempt's", "from"): Conclusion.NOT_YET,
    ("another attempt's", "to"): Conclusion.CONVERGED,
    ("another attempt's", "neither"): Conclusion.SUPERSEDED,
    ("none", "from"): Conclusion.NOT_YET,
    ("none", "to"): Conclusion.CONVERGED,
    ("none", "neither"): Conclusion.SUPERSEDED,
}


@pytest.mark.parametrize(("marker", "state"), list(itertools.product(MARKERS, STATES)))
def test_marker_and_state_together_decide(marker: str, state: str) -> None:
    seen = Seen.of(workload("uid-1", MARKERS[marker], STATES[state]))
    assert conclude(MARKER, CHANGE, seen) is EXPECTED[marker, state]


@pytest.mark.parametrize(("marker", "state"), list(itertools.product(MARKERS, STATES)))
def test_an_object_with_another_uid_was_replaced_whatever_it_shows(marker: str, state: str) -> None:
    seen = Seen.of(workload("uid-2", MARKERS[marker], STATES[state]))
    assert conclude(MARKER, CHANGE, seen) is Conclusion.TARGET_REPLACED


def test_an_object_that_is_gone_was_replaced() -> None:
    assert conclude(MARKER, CHANGE, None) is Conclusion.TARGET_REPLACED


def test_a_restart_stamp_makes_another_state_even_though_it_is_the_same_version() -> None:
    stamped = workload("uid-1", MARKER, "app:v1")
    stamped["spec"]["template"]["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/restartedAt": "2026-01-05T12:00:00Z"
    }
    assert conclude(MARKER, CHANGE, Seen.of(stamped)) is Conclusion.APPLIED_THEN_CHANGED


def test_the_manager_who_last_wrote_the_template_is_named() -> None:
    written = workload("uid-1", MARKER, "app:v3")
    written["metadata"]["managedFields"] = [
        {"manager": "kubectl", "time": "2026-01-05T12:00:00Z", "fieldsV1": {"f:spec": {"f:template": {}}}},
        {"manager": "argocd", "time": "2026-01-05T12:05:00Z", "fieldsV1": {"f:spec": {"f:template": {}}}},
        {
            "manager": "kube-controller-manager",
            "time": "2026-01-05T12:06:00Z",
            "subresource": "status",
            "fieldsV1": {"f:status": {}},
        },
    ]
    assert Seen.of(written).last_manager == "argocd"
