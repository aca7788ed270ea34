"""evict_pod: which pod it proposes to evict, if any."""

from datetime import timedelta
from typing import Any

import pytest

from remediator.actions.evict_pod import EvictPod
from remediator.domain.answers import Proposal
from remediator.domain.change import Eviction
from tests.guards.facts import Facts
from tests.support.story import ALERT, deployment


def pods(facts: Facts) -> list[str]:
    return sorted(each["metadata"]["name"] for each in facts.emulator.list("pods", "shop"))


def unready(facts: Facts, *names: str) -> None:
    """The kubelet finds these pods not ready from now on."""
    stamp = facts.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    for pod in facts.emulator.list("pods", "shop"):
        if pod["metadata"]["name"] in names:
            told = [
                {**each, "status": "False", "lastTransitionTime": stamp} if "Ready" in each["type"] else each
                for each in pod["status"]["conditions"]
            ]
            facts.emulator.patch(
                "pods",
                "shop",
                pod["metadata"]["name"],
                {"status": {"conditions": told}},
                user="kubelet",
                subresource="status",
            )


async def running(facts: Facts) -> list[str]:
    """Three pods that are ready."""
    facts.emulator.create(deployment("app:v1", replicas=3))
    await facts.clock.advance(60)
    await facts.emulator.catch_up()
    return pods(facts)


async def proposed(facts: Facts, **labels: str) -> Proposal:
    run = facts.run()
    alert = run.the_alert.model_copy(update={"labels": {**ALERT, **labels}})
    return await EvictPod().propose(run.model_copy(update={"alert": alert}), facts.kit)


def evicted(proposal: Proposal) -> str:
    (change,) = proposal.changes
    assert isinstance(change, Eviction)
    assert not change.completes
    return change.pod


def why(proposal: Proposal) -> tuple[str, bool]:
    assert proposal.changes == ()
    assert proposal.refusal is not None
    return proposal.refusal.why, proposal.refusal.passing


async def test_the_only_unready_pod_is_evicted_once_it_has_been_so_for_long_enough(facts: Facts) -> None:
    first, second, _ = await running(facts)
    assert why(await proposed(facts)) == ("no pod of deployment/shop/api is unready", True)
    unready(facts, first)
    said, passing = why(await proposed(facts))
    assert "has been unready for less than 3m" in said
    assert passing
    await facts.clock.advance(200)
    assert evicted(await proposed(facts)) == first
    unready(facts, second)
    said, passing = why(await proposed(facts))
    assert f"2 pods of deployment/shop/api are not ready ({first}, {second})" in said
    assert not passing


async def test_of_several_only_the_one_that_the_alert_names(facts: Facts) -> None:
    first, second, third = await running(facts)
    unready(facts, first, second)
    await facts.clock.advance(200)
    assert evicted(await proposed(facts, pod=second)) == second
    assert why(await proposed(facts, pod=third)) == (
        f"{third} is ready: a pod that serves is not evicted",
        False,
    )
    assert "is no pod of deployment/shop/api any more" in why(await proposed(facts, pod="api-gone"))[0]
    assert evicted(await proposed(facts, exported_pod=first, pod="exporter-0")) == first
    said, _ = why(await proposed(facts, exported_namespace="shop", pod=first))
    assert "2 pods" in said, "that `pod` is the exporter's own"


@pytest.mark.parametrize("owner", [None, "another"])
async def test_a_pod_that_only_carries_the_labels_is_none_of_the_target(
    facts: Facts, owner: str | None
) -> None:
    (first, *_) = await running(facts)
    found = facts.emulator.get("pods", "shop", first)
    assert found is not None
    metadata: dict[str, Any] = {"name": "bare", "namespace": "shop", "labels": found["metadata"]["labels"]}
    if owner is not None:
        reference = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": owner,
            "uid": "u9",
            "controller": True,
        }
        metadata["ownerReferences"] = [reference]
    spec = {"containers": [{"name": "app", "image": "app:never-ready-v1"}]}
    facts.emulator.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    await facts.clock.advance(timedelta(minutes=5).total_seconds())
    assert "is no pod of deployment/shop/api any more" in why(await proposed(facts, pod="bare"))[0]
