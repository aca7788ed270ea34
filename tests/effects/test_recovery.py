"""The recovery function, over every combination of what the object may show."""

import itertools

import pytest

from remediator.domain.change import Eviction, Scaling, TemplatePatch
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.effects.recovery import Conclusion, Seen, SeenPod, conclude

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
    assert conclude(MARKER, CHANGE, seen, sends=1) is EXPECTED[marker, state]


@pytest.mark.parametrize(("marker", "state"), list(itertools.product(MARKERS, STATES)))
def test_an_object_with_another_uid_was_replaced_whatever_it_shows(marker: str, state: str) -> None:
    seen = Seen.of(workload("uid-2", MARKERS[marker], STATES[state]))
    assert conclude(MARKER, CHANGE, seen, sends=1) is Conclusion.TARGET_REPLACED


def test_an_object_that_is_gone_was_replaced() -> None:
    assert conclude(MARKER, CHANGE, None, sends=1) is Conclusion.TARGET_REPLACED


def test_a_restart_stamp_makes_another_state_even_though_it_is_the_same_version() -> None:
    stamped = workload("uid-1", MARKER, "app:v1")
    stamped["spec"]["template"]["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/restartedAt": "2026-01-05T12:00:00Z"
    }
    assert conclude(MARKER, CHANGE, Seen.of(stamped), sends=1) is Conclusion.APPLIED_THEN_CHANGED


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


SCALING = Scaling(
    action="scale",
    target=CHANGE.target,
    uid="uid-1",
    from_replicas=0,
    to_replicas=3,
    from_template=CHANGE.from_template,
    from_title="0 replicas",
    to_title="3 replicas",
    summary="scale",
)
COUNTS = {"from": 0, "to": 3, "neither": 2}


def scaled(uid: str, marker: str | None, replicas: int) -> JsonObject:
    found = workload(uid, marker, "app:v2")
    return {**found, "spec": {**found["spec"], "replicas": replicas}}


@pytest.mark.parametrize(("marker", "state"), list(itertools.product(MARKERS, COUNTS)))
def test_a_scaling_is_judged_by_marker_and_replicas(marker: str, state: str) -> None:
    seen = Seen.of(scaled("uid-1", MARKERS[marker], COUNTS[state]))
    assert conclude(MARKER, SCALING, seen, sends=1) is EXPECTED[marker, state]
    other = Seen.of(scaled("uid-2", MARKERS[marker], COUNTS[state]))
    assert conclude(MARKER, SCALING, other, sends=1) is Conclusion.TARGET_REPLACED


def test_a_scaling_of_another_template_than_was_planned_for_is_superseded() -> None:
    seen = Seen.of({**scaled("uid-1", None, 0), "spec": {"replicas": 0, "template": template("app:v3")}})
    assert conclude(MARKER, SCALING, seen, sends=0) is Conclusion.SUPERSEDED


def test_who_scaled_it_is_named_whatever_path_they_took() -> None:
    found = scaled("uid-1", MARKER, 2)
    replicas: JsonObject = {"f:spec": {"f:replicas": {}}}
    found["metadata"]["managedFields"] = [
        {"manager": "helm", "time": "2026-01-05T12:00:00Z", "fieldsV1": {"f:spec": {"f:template": {}}}},
        {
            "manager": "kubectl",
            "time": "2026-01-05T12:05:00Z",
            "subresource": "scale",
            "fieldsV1": replicas,
        },
        {"manager": "remediator", "time": "2026-01-05T12:06:00Z", "fieldsV1": replicas},
    ]
    seen = Seen.of(found)
    assert (seen.who_changed(SCALING), seen.who_changed(CHANGE)) == ("kubectl", "helm")


EVICTION = Eviction(
    target=CHANGE.target.model_copy(update={"kind": "statefulset"}),
    uid="uid-1",
    pod="db-1",
    pod_uid="pod-1",
    from_exact=CHANGE.to_exact,
    from_title="stuck pod db-1",
    to_title="db-1 made anew",
    summary="evict db-1",
)
PODS = {
    "there": {"uid": "pod-1"},
    "leaving": {"uid": "pod-1", "deletionTimestamp": "2026-01-05T12:00:00Z"},
    "made anew": {"uid": "pod-2"},
    "gone": None,
}
_ONCE_GONE = {0: Conclusion.CONVERGED, 1: Conclusion.APPLIED, 2: Conclusion.APPLIED}
EVICTED = {
    **{("there", sends): Conclusion.NOT_YET for sends in (0, 1, 2)},
    **{
        (shown, sends): _ONCE_GONE[sends] for shown in ("leaving", "made anew", "gone") for sends in (0, 1, 2)
    },
}


@pytest.mark.parametrize(("shown", "sends"), list(itertools.product(PODS, (0, 1, 2))))
def test_an_eviction_is_judged_by_the_uid_and_by_whether_it_was_ever_sent(shown: str, sends: int) -> None:
    metadata = PODS[shown]
    seen = SeenPod.of({"metadata": metadata, "status": {}} if metadata is not None else None)
    assert conclude(MARKER, EVICTION, seen, sends) is EVICTED[shown, sends]


@pytest.mark.parametrize("sends", [0, 1, 2])
def test_a_pod_that_became_ready_by_itself_needs_no_eviction(sends: int) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    seen = SeenPod.of({"metadata": PODS["there"], "status": ready})
    assert conclude(MARKER, EVICTION, seen, sends) is Conclusion.CONVERGED
