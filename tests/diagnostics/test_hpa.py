"""hpa: what scales the target, how far it may go, and why it does not."""

from typing import Any

from remediator.diagnostics.hpa import Hpa, _autoscaler, _said
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.diagnostics.looking import looked, runs
from tests.guards.facts import Facts
from tests.sandbox.kubernetes_recordings import exchanges_of
from tests.support.world import owned_by

API = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def autoscaler(facts: Facts, status: dict[str, Any], **metadata: Any) -> None:
    metadata = {"name": "api", "namespace": "shop", **metadata}
    spec = {"scaleTargetRef": API, "minReplicas": 2, "maxReplicas": 5, "metrics": [CPU]}
    made = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": spec,
    }
    facts.emulator.create(made)
    facts.emulator.patch("hpa", "shop", "api", {"status": status}, subresource="status")


async def test_one_at_its_most_is_told_with_what_it_measures(facts: Facts) -> None:
    await runs(facts)
    measured = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 97}}}
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "more"}
    status = {
        "currentReplicas": 5,
        "desiredReplicas": 5,
        "currentMetrics": [measured],
        "conditions": [limited],
    }
    autoscaler(facts, status)
    evidence = await looked(facts, Hpa())
    assert evidence.summary == "api: 5 of 2 to 5 replicas, wants 5, which is all it may"
    (row,) = evidence.details["autoscalers"]
    assert (row["metrics"], row["limited"]) == (["cpu: 97% / 80%"], "TooManyReplicas")


async def test_keda_is_named_by_who_made_the_autoscaler_and_its_secrets_are_not_shown(facts: Facts) -> None:
    await runs(facts)
    trigger = {"type": "rabbitmq", "metadata": {"host": "amqp://me:hunter2@queue"}}
    scaled = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {
            "name": "api",
            "namespace": "shop",
            "annotations": {"autoscaling.keda.sh/paused-replicas": "2"},
        },
        "spec": {"scaleTargetRef": {"name": "api"}, "maxReplicaCount": 8, "triggers": [trigger]},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    }
    uid = facts.emulator.create(scaled)["metadata"]["uid"]
    owners = owned_by("keda.sh/v1alpha1", "ScaledObject", "api", uid)
    autoscaler(facts, {"currentReplicas": 2, "desiredReplicas": 2}, ownerReferences=owners)
    evidence = await looked(facts, Hpa())
    assert evidence.summary == (
        "api: 2 of 2 to 5 replicas, wants 2; made by ScaledObject api; "
        "ScaledObject api: 0 to 8 by rabbitmq, paused (autoscaling.keda.sh/paused-replicas=2), not ready"
    )
    assert "hunter2" not in str(evidence)


async def test_without_any_the_replicas_are_what_somebody_wrote(facts: Facts) -> None:
    await runs(facts)
    evidence = await looked(facts, Hpa())
    assert evidence.summary == "nothing scales it: 2 replicas are asked for"


async def test_what_cannot_be_listed_is_a_look_that_failed(facts: Facts) -> None:
    await runs(facts)
    facts.emulator.faults.add(
        Fault("GET", "/horizontalpod", AnswerStatus(403, "Forbidden", "no"), times=None)
    )
    evidence = await looked(facts, Hpa())
    assert evidence.failed
    assert "grant list on horizontalpodautoscalers" in evidence.summary


def test_one_that_a_real_server_shows_without_metrics_wants_nothing_that_is_known() -> None:
    shown = next(each for each in exchanges_of(["scale-hpa-pdb-eviction"]) if each["name"] == "hpa: get")
    row = _autoscaler(shown["response"]["body"])
    assert (row["metrics"], row["desired"]) == (["cpu: unknown / 80%"], 0)
    assert _said(row) == (
        "api: 3 of 2 to 5 replicas, does not work: ScalingActive is False (FailedGetResourceMetric)"
    )
