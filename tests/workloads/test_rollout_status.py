"""How far a rollout is, by recorded objects and by made ones."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remediator.domain.value import JsonObject
from remediator.workloads.rollout_status import RolloutStatus, fully_available, rollout_status
from remediator.workloads.stuck_pods import HOPELESS
from tests.workloads.life import BEGAN, UID, replica_set, template
from tests.workloads.recorded import body, exchanges, items, rollout_event_by_event

RECORDED_AT = datetime(2026, 11, 23, 7, 32, 30, tzinfo=UTC)
NOW = BEGAN + timedelta(hours=1)


def recorded(stage: str) -> RolloutStatus:
    """The status at one stage of the recorded rollout."""
    objects = body("deployment-rollout", f"{stage}: deployment")
    replica_sets = items("deployment-rollout", f"{stage}: replicasets")
    return rollout_status(objects, replica_sets, items("deployment-rollout", f"{stage}: pods"), RECORDED_AT)


def made(**more: Any) -> JsonObject:
    """Three replicas whose rollout of v2 is complete; keywords set fields of status, spec_x of spec."""
    status: dict[str, Any] = {"observedGeneration": 7, "replicas": 3, "updatedReplicas": 3}
    status |= {"readyReplicas": 3, "availableReplicas": 3}
    spec: JsonObject = {"replicas": 3, "template": template("v2")}
    for name, value in more.items():
        (spec if name.startswith("spec_") else status)[name.removeprefix("spec_")] = value
    return {
        "kind": "Deployment",
        "metadata": {"name": "api", "uid": UID, "generation": 7},
        "spec": spec,
        "status": {name: value for name, value in status.items() if value is not None},
    }


REPLICA_SETS = [
    replica_set(1, template("v1"), BEGAN),
    replica_set(2, template("v2"), BEGAN + timedelta(minutes=30)),
]


def pod(
    of: JsonObject = REPLICA_SETS[1], *, unready_for: timedelta | None = None, **status: Any
) -> JsonObject:
    """A pod of a ReplicaSet; not ready for this long, or ready."""
    ready: JsonObject = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T08:31:00Z"}
    if unready_for is not None:
        ready = {"type": "Ready", "status": "False", "lastTransitionTime": (NOW - unready_for).isoformat()}
    owner = {"uid": of["metadata"]["uid"], "controller": True}
    return {
        "metadata": {
            "name": "api-x",
            "ownerReferences": [owner],
            "creationTimestamp": "2026-03-01T08:30:00Z",
        },
        "status": {"phase": "Running", "conditions": [ready], **status},
    }


def waiting(reason: str, field: str = "containerStatuses") -> JsonObject:
    """A pod with a container that waits for this reason, since a moment ago."""
    statuses = [{"name": "app", "state": {"waiting": {"reason": reason}}}]
    made_pod = pod(unready_for=timedelta(seconds=1))
    made_pod["status"][field] = statuses
    return made_pod


def status_of(deployment: JsonObject, *pods: JsonObject) -> RolloutStatus:
    return rollout_status(deployment, REPLICA_SETS, pods, NOW)


def test_the_recorded_rollout_is_judged_rightly_at_every_stage() -> None:
    stages = {
        "v1 available": "complete",
        "v2 under way": "in_progress",
        "v2 available": "complete",
        "bad image, before the deadline": "stuck",
        "bad image, deadline exceeded": "stuck",
        "rolled back": "complete",
    }
    assert {stage: recorded(stage).state for stage in stages} == stages


def test_a_recorded_stuck_rollout_says_which_pod_waits_for_what() -> None:
    stuck = recorded("bad image, before the deadline")
    assert stuck.stuck_pods == ("api-6bc9fc4955-kbcrp: container web is in ErrImagePull.",)
    assert stuck.why.startswith("Pods of revision 3 (web:bad) are stuck.")
    assert not stuck.rolled_out


def test_a_rollback_is_not_stuck_although_kubernetes_keeps_the_old_condition_for_a_moment() -> None:
    after_the_rollback = []
    for cluster in rollout_event_by_event():
        if cluster.deployment["metadata"]["generation"] == 4:
            status = rollout_status(
                cluster.deployment, cluster.replica_sets.values(), cluster.pods.values(), RECORDED_AT
            )
            after_the_rollback.append(status.state)
    assert set(after_the_rollback) == {"in_progress", "complete"}
    assert after_the_rollback[-1] == "complete"


def test_at_every_recorded_moment_complete_means_that_all_wanted_pods_run_the_wanted_image() -> None:
    completed = 0
    for cluster in rollout_event_by_event():
        deployment = cluster.deployment
        status = rollout_status(deployment, cluster.replica_sets.values(), cluster.pods.values(), RECORDED_AT)
        assert fully_available(deployment) == (status.state == "complete")
        if status.state == "complete":
            completed += 1
            image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
            running = [
                each["spec"]["template"]["spec"]["containers"][0]["image"]
                for each in cluster.replica_sets.values()
                if each["status"].get("availableReplicas")
            ]
            assert running == [image]
    assert completed > 0


def test_a_deployment_the_controller_has_never_seen_is_in_progress() -> None:
    just_made = body("deployment-rollout", "just after create")
    assert rollout_status(just_made, [], [], RECORDED_AT).state == "in_progress"


def test_a_recorded_paused_deployment_is_paused_and_not_available_in_its_new_template() -> None:
    deployment = exchanges("kubectl-deployment-more")[16]["response"]["body"]
    assert rollout_status(deployment, [], [], RECORDED_AT).state == "paused"
    assert not fully_available(deployment)


@pytest.mark.parametrize(
    ("name", "hopeless"),
    [
        ("bad-image: ErrImagePull", True),
        ("bad-image: ImagePullBackOff", True),
        ("crash: CrashLoopBackOff", True),
        ("no-config", True),
        ("init-crash: Init:CrashLoopBackOff", True),
        ("no-command: StartError", True),
        ("running: just after create", False),
        ("unready", False),
        ("completed", False),
        ("failed, exit 3", False),
        ("slow-stop: terminating", False),
    ],
)
def test_a_recorded_pod_is_stuck_at_once_only_for_a_reason_the_next_pod_would_meet_too(
    name: str, *, hopeless: bool
) -> None:
    found = deepcopy(body("pods", name))
    found["metadata"]["ownerReferences"] = pod()["metadata"]["ownerReferences"]
    now = datetime(2026, 11, 23, 7, 37, tzinfo=UTC)
    status = rollout_status(made(availableReplicas=2), REPLICA_SETS, [found], now)
    assert status.state == ("stuck" if hopeless else "in_progress")


@pytest.mark.parametrize("reason", sorted(HOPELESS))
@pytest.mark.parametrize("field", ["containerStatuses", "initContainerStatuses"])
def test_a_pod_of_the_newest_revision_waiting_for_such_a_reason_makes_it_stuck(
    reason: str, field: str
) -> None:
    status = status_of(made(availableReplicas=2), waiting(reason, field))
    assert status.state == "stuck"
    assert reason in status.why


def test_a_pod_of_an_older_revision_never_makes_a_rollout_stuck() -> None:
    old = pod(REPLICA_SETS[0], unready_for=timedelta(hours=1))
    assert status_of(made(replicas=4, updatedReplicas=1), old).state == "in_progress"


def test_a_pod_that_is_going_away_never_makes_a_rollout_stuck() -> None:
    leaving = waiting("CrashLoopBackOff")
    leaving["metadata"]["deletionTimestamp"] = "2026-03-01T08:59:00Z"
    assert status_of(made(availableReplicas=2), leaving).state == "in_progress"


def test_a_pod_is_stuck_when_it_is_unready_for_longer_than_stuck_after() -> None:
    deployment = made(availableReplicas=2)
    assert status_of(deployment, pod(unready_for=timedelta(minutes=3))).state == "in_progress"
    late = status_of(deployment, pod(unready_for=timedelta(minutes=3, seconds=1)))
    assert (late.state, late.stuck_pods) == ("stuck", ("api-x: not ready for longer than 3m.",))


def test_a_pod_that_was_never_even_scheduled_is_stuck_by_its_age() -> None:
    unscheduled = pod()
    unscheduled["status"] = {"phase": "Pending"}
    assert status_of(made(availableReplicas=2), unscheduled).state == "stuck"


def test_a_write_the_controller_has_not_seen_is_never_complete_but_says_so() -> None:
    status = status_of(made(observedGeneration=6), pod())
    assert (status.state, status.observed) == ("in_progress", False)
    assert status.why == "The controller has seen generation 6 of 7 so far."


def test_our_own_claim_does_not_hide_that_a_rollout_is_stuck() -> None:
    claimed = made(observedGeneration=6, availableReplicas=2)
    assert status_of(claimed, waiting("CrashLoopBackOff")).state == "stuck"


def test_a_template_just_put_back_is_in_progress_whatever_its_old_pods_did() -> None:
    put_back = made(observedGeneration=6, spec_template=template("v1"))
    old = pod(REPLICA_SETS[0], unready_for=timedelta(hours=1))
    assert status_of(put_back, old).state == "in_progress"


def exceeded(replica_set_name: str) -> list[JsonObject]:
    message = f'ReplicaSet "{replica_set_name}" has timed out progressing.'
    return [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message}
    ]


def test_the_progress_deadline_counts_for_the_revision_it_names_only() -> None:
    newest, older = (each["metadata"]["name"] for each in reversed(REPLICA_SETS))
    assert status_of(made(updatedReplicas=1, conditions=exceeded(newest))).state == "stuck"
    assert status_of(made(updatedReplicas=1, conditions=exceeded(older))).state == "in_progress"


def test_available_as_kubernetes_means_it_is_not_complete() -> None:
    """With maxUnavailable 100% the condition Available is true while nothing is available."""
    lenient = made(
        availableReplicas=None,
        readyReplicas=None,
        conditions=[{"type": "Available", "status": "True"}],
        spec_strategy={"rollingUpdate": {"maxUnavailable": "100%"}},
    )
    assert status_of(lenient).state == "in_progress"
    assert not fully_available(lenient)


def test_old_pods_that_are_still_there_are_not_complete() -> None:
    assert status_of(made(replicas=4)).state == "in_progress"


def test_pods_that_fail_long_after_the_rollout_are_told_from_a_rollout_that_fails() -> None:
    name = REPLICA_SETS[1]["metadata"]["name"]
    message = f'ReplicaSet "{name}" has successfully progressed.'
    done = [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": message}]
    hung = pod(unready_for=timedelta(minutes=10))
    assert status_of(made(availableReplicas=2, conditions=done), hung).rolled_out
    assert not status_of(made(availableReplicas=2), hung).rolled_out
    assert not status_of(made(availableReplicas=2, replicas=4, conditions=done), hung).rolled_out


def test_scaled_to_zero_is_complete_but_not_available() -> None:
    asleep = made(
        spec_replicas=0, replicas=None, updatedReplicas=None, readyReplicas=None, availableReplicas=None
    )
    assert status_of(asleep).state == "complete"
    assert not fully_available(asleep)


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec_replicas": None},
        {"spec_replicas": "3"},
        {"spec_replicas": True},
        {"spec_template": None},
        {"replicas": -1},
        {"updatedReplicas": "3"},
        {"availableReplicas": 3.0},
        {"observedGeneration": "7"},
    ],
)
def test_a_missing_or_malformed_field_is_unknown_and_never_complete(wrong: dict[str, Any]) -> None:
    assert status_of(made(**wrong)).state == "unknown"


@pytest.mark.parametrize("deployment", [{}, {"status": []}, {"spec": 1, "metadata": None, "status": "x"}])
def test_something_that_is_no_deployment_is_unknown(deployment: JsonObject) -> None:
    assert status_of(deployment).state == "unknown"
    assert not fully_available(deployment)


def test_a_deployment_that_is_being_deleted_is_unknown() -> None:
    leaving = made()
    leaving["metadata"]["deletionTimestamp"] = "2026-03-01T08:59:00Z"
    assert status_of(leaving).state == "unknown"
    assert not fully_available(leaving)
