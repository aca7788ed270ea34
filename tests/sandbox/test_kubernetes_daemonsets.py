"""DaemonSets do what the documentation promises where the recordings do not look."""

import pytest

from tests.sandbox.kubernetes_client import World
from tests.sandbox.kubernetes_sets import add_node, daemon_set, images, release, status, tags


async def test_every_node_has_its_pod_a_cordoned_one_too_and_others_by_the_node_selector(
    world: World,
) -> None:
    add_node(world, "node-2", disk="fast")
    world.cluster.create(daemon_set())
    await world.cluster.advance(5)
    world.cluster.patch("node", "", "node-2", {"spec": {"unschedulable": True}})
    for pod in world.cluster.list("pods", "default"):
        world.cluster.delete("pod", "default", pod["metadata"]["name"])
    add_node(world, "node-3", disk="fast")
    await world.cluster.advance(5)
    assert sorted(pod["spec"]["nodeName"] for pod in world.cluster.list("pods", "default", "app=db")) == [
        "node-1",
        "node-2",
        "node-3",
    ]
    selector = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "fast"}}}}}
    world.cluster.patch("daemonset", "default", "db", selector)
    await world.cluster.advance(10)
    assert sorted(pod["spec"]["nodeName"] for pod in world.cluster.list("pods", "default", "app=db")) == [
        "node-2",
        "node-3",
    ]
    assert status(world, "daemonset")["desiredNumberScheduled"] == 2


async def test_of_two_pods_on_a_node_the_younger_goes(world: World) -> None:
    made = daemon_set()
    template = made["spec"]["template"]
    metadata = {**template["metadata"], "name": "older"}
    world.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    await world.cluster.advance(5)
    metadata = {**metadata, "name": "younger"}
    world.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    world.cluster.create(daemon_set(updateStrategy={"type": "OnDelete"}))
    await world.cluster.advance(5)
    assert list(images(world)) == ["older"]


@pytest.mark.parametrize(("most", "least_ready"), [(1, 3), (2, 2), ("50%", 2)])
async def test_a_rollout_keeps_all_but_max_unavailable_ready(
    world: World, most: int | str, least_ready: int
) -> None:
    for number in (2, 3, 4):
        add_node(world, f"node-{number}")
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": most}}
    world.cluster.create(daemon_set(updateStrategy=strategy))
    await world.cluster.advance(5)
    release(world, "daemonset", "shop/db:v2")
    ready = []
    for _ in range(150):
        await world.cluster.advance(0.1)
        ready.append(status(world, "daemonset")["numberReady"])
    assert (min(ready), ready[-1]) == (least_ready, 4)
    assert tags(world) == ["v2"] * 4


async def test_a_daemon_set_on_delete_waits_for_its_pods_to_be_deleted(world: World) -> None:
    world.cluster.create(daemon_set(updateStrategy={"type": "OnDelete"}))
    await world.cluster.advance(5)
    release(world, "daemonset", "shop/db:v2")
    await world.cluster.advance(60)
    assert tags(world) == ["v1"]
    world.cluster.delete("pod", "default", next(iter(images(world))))
    await world.cluster.advance(5)
    assert tags(world) == ["v2"]


@pytest.mark.parametrize("bad", ["missing", "crash", "never-ready"])
async def test_a_broken_daemon_frees_itself_when_its_template_is_put_back(world: World, bad: str) -> None:
    world.cluster.create(daemon_set())
    await world.cluster.advance(5)
    release(world, "daemonset", f"shop/db:{bad}")
    await world.cluster.advance(60)
    assert status(world, "daemonset")["numberUnavailable"] == 1
    release(world, "daemonset", "shop/db:v1")
    await world.cluster.advance(5)
    assert (tags(world), status(world, "daemonset")["numberReady"]) == (["v1"], 1)


async def test_only_the_server_counts_the_templates_of_a_daemon_set(world: World) -> None:
    name = "deprecated.daemonset.template.generation"
    made = daemon_set()
    made["metadata"]["annotations"] = {name: "7"}
    assert world.cluster.create(made)["metadata"]["annotations"] == {name: "1"}
    patch = {"metadata": {"annotations": {name: "9"}}}
    assert world.cluster.patch("daemonset", "default", "db", patch)["metadata"]["annotations"] == {name: "1"}
    release(world, "daemonset", "shop/db:v2")
    found = world.cluster.get("daemonset", "default", "db")
    assert found is not None
    assert found["metadata"]["annotations"] == {name: "2"}
