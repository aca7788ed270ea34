"""Kinds whose controllers are not emulated are kept as a test makes them: read over HTTP, never written."""

import json

import pytest

from remediator.sandbox.kubernetes import DrivenClock, Emulator
from tests.sandbox.kubernetes_client import BOT, Json, World, client_of

KINDS = [
    ("/api/v1", "resourcequotas", "v1", "ResourceQuota"),
    ("/apis/batch/v1", "jobs", "batch/v1", "Job"),
    ("/apis/networking.k8s.io/v1", "ingresses", "networking.k8s.io/v1", "Ingress"),
    ("/apis/argoproj.io/v1alpha1", "rollouts", "argoproj.io/v1alpha1", "Rollout"),
    ("/apis/flagger.app/v1beta1", "canaries", "flagger.app/v1beta1", "Canary"),
    ("/apis/keda.sh/v1alpha1", "scaledobjects", "keda.sh/v1alpha1", "ScaledObject"),
    (
        "/apis/autoscaling.k8s.io/v1",
        "verticalpodautoscalers",
        "autoscaling.k8s.io/v1",
        "VerticalPodAutoscaler",
    ),
]


def stored(api_version: str, kind: str) -> Json:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "one", "labels": {"app": "api"}},
        "spec": {"list": [{"a": 1}], "map": {"c": {"d": "e"}}},
        "status": {"phase": "Progressing"},
    }


@pytest.mark.parametrize(("path", "plural", "api_version", "kind"), KINDS)
async def test_it_is_read_listed_and_watched(
    world: World, path: str, plural: str, api_version: str, kind: str
) -> None:
    world.cluster.create(stored(api_version, kind))
    collection = f"{path}/namespaces/default/{plural}"
    found = await world.client.get(f"{collection}/one")
    assert found["spec"] == {"list": [{"a": 1}], "map": {"c": {"d": "e"}}}
    assert found["status"] == {"phase": "Progressing"}
    assert (found["apiVersion"], found["kind"]) == (api_version, kind)
    listed = await world.client.get(collection, labelSelector="app=api")
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == (
        f"{kind}List",
        ["one"],
    )
    assert (await world.client.get(f"{path}/{plural}", labelSelector="app=web"))["items"] == []
    version = listed["metadata"]["resourceVersion"]
    url = f"{world.cluster.url}{collection}"
    async with world.client.session.get(url, params={"watch": "1", "resourceVersion": version}) as watch:
        world.cluster.patch(plural, "default", "one", {"status": {"phase": "Failed"}}, subresource="status")
        event = json.loads(await watch.content.readline())
    assert (event["type"], event["object"]["status"]) == ("MODIFIED", {"phase": "Failed"})


@pytest.mark.parametrize(("path", "plural", "api_version", "kind"), KINDS)
async def test_it_is_not_written_over_http(
    world: World, path: str, plural: str, api_version: str, kind: str
) -> None:
    world.cluster.create(stored(api_version, kind))
    collection = f"{path}/namespaces/default/{plural}"
    created = await world.client.call("POST", collection, stored(api_version, kind))
    deleted = await world.client.call("DELETE", f"{collection}/one")
    assert (created.status, deleted.status) == (501, 501)
    assert "Emulator.create" in created.body["message"]


@pytest.mark.parametrize(("path", "plural", "api_version", "kind"), KINDS[3:])
async def test_a_cluster_without_the_definition_does_not_know_the_group(
    world: World, path: str, plural: str, api_version: str, kind: str
) -> None:
    collection = f"{path}/namespaces/default/{plural}"
    for absent in (collection, f"{collection}/one", path):
        answer = await world.client.call("GET", absent)
        assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert api_version not in (await world.client.call("GET", "/apis")).text
    world.cluster.create(stored(api_version, kind))
    assert len((await world.client.get(collection))["items"]) == 1
    assert api_version in (await world.client.call("GET", "/apis")).text


async def test_a_definition_may_be_there_before_its_first_object() -> None:
    async with (
        Emulator(DrivenClock(), accounts=[BOT], custom_resources=["rollouts"]) as cluster,
        client_of(cluster) as client,
    ):
        assert (await client.get("/apis/argoproj.io/v1alpha1/rollouts"))["items"] == []
        assert (await client.call("GET", "/apis/flagger.app/v1beta1/canaries")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        "/apis/coordination.k8s.io/v1",
        "/apis/autoscaling/v1/horizontalpodautoscalers",
        "/api/v1/namespaces/default/pods/api/exec",
        "/api/v1/endpoints",
        "/openapi/v3",
        "/",
    ],
)
async def test_what_a_real_server_has_besides_is_answered_with_501(world: World, path: str) -> None:
    assert (await world.client.call("GET", path)).status == 501
