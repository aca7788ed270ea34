"""ControllerRevisions, and what the server says about the two kinds that have them."""

import pytest

from remediator.sandbox.kubernetes.status import ApiError
from tests.sandbox.kubernetes_client import Json, World
from tests.sandbox.kubernetes_sets import daemon_set, release, revisions, stateful_set, status, workload

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_template_that_returns_makes_its_revision_the_newest_again(world: World, kind: str) -> None:
    world.cluster.create(workload(kind, "shop/db:v1"))
    for tag in ("v2", "v3", "v1"):
        await world.cluster.advance(5)
        release(world, kind, f"shop/db:{tag}")
    await world.cluster.advance(5)
    assert revisions(world) == {"v1": 4, "v2": 2, "v3": 3}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_old_revisions_beyond_the_limit_are_forgotten(world: World, kind: str) -> None:
    world.cluster.create(workload(kind, "shop/db:v1", revisionHistoryLimit=1))
    for tag in ("v2", "v3", "v4"):
        await world.cluster.advance(5)
        release(world, kind, f"shop/db:{tag}")
    await world.cluster.advance(5)
    assert revisions(world) == {"v3": 3, "v4": 4}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_revision_whose_name_is_taken_gets_another_and_is_counted(world: World, kind: str) -> None:
    world.cluster.create(workload(kind, "shop/db:v1"))
    await world.cluster.advance(5)
    (first,) = world.cluster.list("controllerrevisions", "default")
    world.cluster.delete(kind, "default", "db")
    await world.cluster.advance(5)
    taken = {**first, "data": {"spec": {}}, "metadata": {"name": first["metadata"]["name"]}}
    world.cluster.create(taken)
    world.cluster.create(workload(kind, "shop/db:v1"))
    await world.cluster.advance(5)
    assert status(world, kind)["collisionCount"] == 1
    names = [each["metadata"]["name"] for each in world.cluster.list("controllerrevisions", "default")]
    assert len(names) == 2


async def test_the_data_of_a_revision_cannot_be_changed(world: World) -> None:
    world.cluster.create(stateful_set())
    await world.cluster.advance(5)
    (revision,) = world.cluster.list("controllerrevisions", "default")
    name = revision["metadata"]["name"]
    with pytest.raises(ApiError, match="data: Invalid value"):
        world.cluster.patch(
            "controllerrevisions", "default", name, [{"op": "replace", "path": "/data", "value": {}}]
        )


@pytest.mark.parametrize(
    ("made", "refusal"),
    [
        (stateful_set(volumeClaimTemplates=[{"metadata": {"name": "data"}}]), "there are no volumes"),
        (daemon_set(updateStrategy={"rollingUpdate": {"maxSurge": 1}}), "maxSurge of a DaemonSet"),
        (stateful_set(podManagementPolicy="Random"), "must be 'OrderedReady' or 'Parallel'"),
        (stateful_set(updateStrategy={"type": "Recreate"}), "must be 'RollingUpdate' or 'OnDelete'"),
        (stateful_set(updateStrategy={"type": "OnDelete", "rollingUpdate": {}}), "only allowed for"),
        (stateful_set(updateStrategy={"rollingUpdate": {"partition": -1}}), "greater than or equal to 0"),
        (daemon_set(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}), "cannot be 0"),
        (daemon_set(updateStrategy={"type": "Recreate"}), "supported values"),
        (daemon_set(selector={"matchLabels": {"app": "other"}}), "does not match template"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, made: Json, refusal: str) -> None:
    with pytest.raises(ApiError, match=refusal):
        world.cluster.create(made)


async def test_tables_show_the_columns_kubectl_prints(world: World) -> None:
    world.cluster.create(stateful_set(replicas=2))
    world.cluster.create({**daemon_set(), "metadata": {"name": "agent"}})
    await world.cluster.advance(5)
    shown = {}
    for plural in ("statefulsets", "daemonsets", "controllerrevisions"):
        path = f"{world.client.url}/apis/apps/v1/namespaces/default/{plural}"
        async with world.client.session.get(path, headers=TABLE) as answer:
            table = await answer.json()
        columns = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
        shown[plural] = [dict(zip(columns, row["cells"], strict=False)) for row in table["rows"]]
    assert shown["statefulsets"] == [{"Name": "db", "Ready": "2/2", "Age": "5s"}]
    numbers = dict.fromkeys(("Desired", "Current", "Ready", "Up-to-date", "Available"), 1)
    assert shown["daemonsets"] == [{"Name": "agent", **numbers, "Node Selector": "<none>", "Age": "5s"}]
    of = {row["Controller"]: row["Revision"] for row in shown["controllerrevisions"]}
    assert of == {"statefulset.apps/db": 1, "daemonset.apps/agent": 1}
