"""StatefulSets do what the documentation promises where the recordings do not look."""

import pytest

from tests.sandbox.kubernetes_client import MERGE_PATCH, World
from tests.sandbox.kubernetes_sets import daemon_set, images, release, stateful_set, status, tags

STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"


async def test_each_pod_waits_for_the_one_before_it(world: World) -> None:
    world.cluster.create(stateful_set("shop/db:never-ready"))
    await world.cluster.advance(30)
    assert list(images(world)) == ["db-0"]
    world.cluster.create({**stateful_set(), "metadata": {"name": "other"}})
    await world.cluster.advance(5)
    assert [name for name in images(world) if "other" in name] == ["other-0", "other-1", "other-2"]


async def test_parallel_pods_wait_for_nobody_and_are_replaced_although_broken(world: World) -> None:
    world.cluster.create(stateful_set("shop/db:never-ready", podManagementPolicy="Parallel"))
    await world.cluster.advance(1)
    assert list(images(world)) == ["db-0", "db-1", "db-2"]
    release(world, "statefulset", "shop/db:v2")
    await world.cluster.advance(15)
    assert tags(world) == ["v2", "v2", "v2"]
    assert status(world, "statefulset")["readyReplicas"] == 3


async def test_a_rollout_of_parallel_pods_that_work_is_still_one_at_a_time(world: World) -> None:
    world.cluster.create(stateful_set(podManagementPolicy="Parallel"))
    await world.cluster.advance(5)
    release(world, "statefulset", "shop/db:v2")
    ready = []
    for _ in range(100):
        await world.cluster.advance(0.1)
        ready.append(status(world, "statefulset")["readyReplicas"])
    assert (min(ready), ready[-1]) == (2, 3)


async def test_a_rollout_goes_from_the_highest_number_down_one_at_a_time(world: World) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    release(world, "statefulset", "shop/db:v2")
    seen: list[list[str]] = []
    for _ in range(100):
        await world.cluster.advance(0.1)
        now = [f"{name} {tag}" for name, tag in images(world).items()]
        seen += [now] if not seen or seen[-1] != now else []
    assert [each for each in seen if len(each) == 3] == [
        ["db-0 v1", "db-1 v1", "db-2 v1"],
        ["db-0 v1", "db-1 v1", "db-2 v2"],
        ["db-0 v1", "db-1 v2", "db-2 v2"],
        ["db-0 v2", "db-1 v2", "db-2 v2"],
    ]


async def test_pods_below_the_partition_keep_the_current_revision_even_when_made_anew(world: World) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    world.cluster.create(stateful_set(updateStrategy=strategy))
    await world.cluster.advance(5)
    release(world, "statefulset", "shop/db:v2")
    await world.cluster.advance(10)
    world.cluster.delete("pod", "default", "db-0")
    await world.cluster.advance(5)
    assert images(world) == {"db-0": "v1", "db-1": "v1", "db-2": "v2"}
    shown = status(world, "statefulset")
    assert (shown["currentReplicas"], shown["updatedReplicas"], shown["readyReplicas"]) == (2, 1, 3)
    assert shown["currentRevision"] != shown["updateRevision"]
    world.cluster.patch(
        "statefulset",
        "default",
        "db",
        {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}},
    )
    await world.cluster.advance(10)
    assert tags(world) == ["v2", "v2", "v2"]


async def test_max_unavailable_is_dropped_as_by_a_server_whose_gate_is_off(world: World) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    made = world.cluster.create(stateful_set(updateStrategy=strategy))
    assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


async def test_on_delete_leaves_every_pod_until_somebody_deletes_it(world: World) -> None:
    world.cluster.create(stateful_set(updateStrategy={"type": "OnDelete"}))
    await world.cluster.advance(5)
    release(world, "statefulset", "shop/db:v2")
    await world.cluster.advance(60)
    assert tags(world) == ["v1", "v1", "v1"]
    world.cluster.delete("pod", "default", "db-1")
    await world.cluster.advance(5)
    assert images(world) == {"db-0": "v1", "db-1": "v2", "db-2": "v1"}
    for name in ("db-0", "db-2"):
        world.cluster.delete("pod", "default", name)
    await world.cluster.advance(5)
    shown = status(world, "statefulset")
    assert shown["updatedReplicas"] == 3
    assert shown["currentRevision"] != shown["updateRevision"], (
        "a set on OnDelete never calls a rollout complete"
    )


@pytest.mark.parametrize("bad", ["missing", "crash", "never-ready"])
async def test_a_set_stuck_on_a_broken_pod_stays_stuck_until_that_pod_is_deleted(
    world: World, bad: str
) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    release(world, "statefulset", f"shop/db:{bad}")
    await world.cluster.advance(60)
    release(world, "statefulset", "shop/db:v1")
    await world.cluster.advance(600)
    assert images(world) == {"db-0": "v1", "db-1": "v1", "db-2": bad}
    assert status(world, "statefulset")["readyReplicas"] == 2
    world.cluster.delete("pod", "default", "db-2")
    await world.cluster.advance(5)
    assert tags(world) == ["v1", "v1", "v1"]
    assert status(world, "statefulset")["readyReplicas"] == 3


async def test_an_evicted_pod_comes_back_under_its_name_with_another_uid(world: World) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    before = world.cluster.get("pod", "default", "db-1")
    assert before is not None
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "db-1"}}
    await world.client.create("/api/v1/namespaces/default/pods/db-1/eviction", eviction)
    await world.cluster.advance(5)
    after = world.cluster.get("pod", "default", "db-1")
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert status(world, "statefulset")["readyReplicas"] == 3


async def test_a_pod_is_evicted_as_the_version_it_was_seen_in_or_not_at_all(world: World) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    path = "/api/v1/namespaces/default/pods/db-1"
    answers = []
    for version in ("1", (await world.client.get(path))["metadata"]["resourceVersion"]):
        wanted = {"preconditions": {"resourceVersion": version}}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "db-1"}}
        answers.append(
            await world.client.call("POST", f"{path}/eviction", {**eviction, "deleteOptions": wanted})
        )
    assert [each.status for each in answers] == [409, 201]
    # The words are those recorded for a DELETE: an eviction is one.
    assert "the ResourceVersion in the precondition (1) does not match" in answers[0].body["message"]


async def test_a_budget_in_shares_counts_what_the_set_wants(world: World) -> None:
    world.cluster.create(stateful_set(replicas=4))
    selector = {"matchLabels": {"app": "db"}}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "db"}}
    world.cluster.create({**budget, "spec": {"maxUnavailable": "25%", "selector": selector}})
    await world.cluster.advance(10)
    found = world.cluster.get("poddisruptionbudget", "default", "db")
    assert found is not None
    shown = found["status"]
    assert (shown["expectedPods"], shown["desiredHealthy"], shown["disruptionsAllowed"]) == (4, 3, 1)


async def test_scaling_down_takes_the_highest_numbers_and_scaling_to_zero_all(world: World) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    answer = await world.client.patch(f"{STATEFUL_SETS}/db/scale", {"spec": {"replicas": 1}}, MERGE_PATCH)
    assert answer.status == 200, answer.text
    await world.cluster.advance(0.4)
    assert list(images(world)) == ["db-0", "db-1"]
    await world.cluster.advance(5)
    assert list(images(world)) == ["db-0"]
    world.cluster.patch("statefulset", "default", "db", {"spec": {"replicas": 0}})
    await world.cluster.advance(5)
    assert images(world) == {}


async def test_a_set_puts_back_the_labels_that_name_its_pods(world: World) -> None:
    world.cluster.create(stateful_set(replicas=1))
    await world.cluster.advance(5)
    label = "statefulset.kubernetes.io/pod-name"
    world.cluster.patch("pod", "default", "db-0", {"metadata": {"labels": {label: None}}})
    await world.cluster.advance(1)
    pod = world.cluster.get("pod", "default", "db-0")
    assert pod is not None
    assert pod["metadata"]["labels"][label] == "db-0"


async def test_a_set_adopts_a_pod_of_its_name_and_takes_no_other(world: World) -> None:
    for name in ("db-0", "db-x"):
        template = stateful_set()["spec"]["template"]
        metadata = {**template["metadata"], "name": name}
        world.cluster.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        )
    made = world.cluster.create(stateful_set(replicas=1))
    await world.cluster.advance(5)
    owners = {
        pod["metadata"]["name"]: [owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])]
        for pod in world.cluster.list("pods", "default")
    }
    assert owners == {"db-0": [made["metadata"]["uid"]], "db-x": []}


async def test_a_pod_counts_as_available_only_after_min_ready_seconds(world: World) -> None:
    world.cluster.create(stateful_set(replicas=2, minReadySeconds=30))
    await world.cluster.advance(20)
    shown = status(world, "statefulset")
    assert (list(images(world)), shown["readyReplicas"], shown["availableReplicas"]) == (["db-0"], 1, 0)
    await world.cluster.advance(50)
    assert status(world, "statefulset")["availableReplicas"] == 2


async def test_pods_and_revisions_go_with_their_set(world: World) -> None:
    world.cluster.create(stateful_set())
    world.cluster.create({**daemon_set(), "metadata": {"name": "agent"}})
    await world.cluster.advance(5)
    world.cluster.delete("statefulset", "default", "db")
    world.cluster.delete("daemonset", "default", "agent")
    await world.cluster.advance(5)
    assert not world.cluster.list("pods")
    assert not world.cluster.list("controllerrevisions")
