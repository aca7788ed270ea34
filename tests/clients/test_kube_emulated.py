"""Reader and writer against an emulated API server: what they say is what was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from remediator.clients.http import NeverSent
from remediator.clients.kube_connection import KubeConnection, connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import Applied, KubeWriter, NotSent, Refused, Unclear
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.sandbox.kubernetes import AccessRule, DrivenClock, Emulator, Fault, service_account
from remediator.sandbox.kubernetes.faults import (
    Action,
    AnswerStatus,
    ApplyLate,
    ApplyThenDrop,
    ApplyThenFail,
    ApplyThenHang,
    DropBeforeApplying,
    HalfBody,
    HangBeforeApplying,
    Hold,
)

RULES = (
    AccessRule(["get", "list", "patch"], ["apps"], ["deployments"], ["shop"]),
    AccessRule(["get", "list"], [""], ["pods", "pods/log", "configmaps"], ["shop"]),
    AccessRule(["create"], [""], ["events"], ["shop"]),
    AccessRule(["get", "list"], [""], ["namespaces"]),
)


def a_deployment(image: str) -> JsonObject:
    labels = {"app": "api"}
    container = {"name": "web", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop", "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


@pytest.fixture
async def cluster() -> AsyncIterator[Emulator]:
    account = service_account("ops", "remediator", "ours", RULES)
    async with Emulator(DrivenClock(), accounts=[account]) as cluster:
        cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"on": "yes"}}}
        )
        cluster.create(a_deployment("shop/api:v1"))
        yield cluster


@pytest.fixture
async def connection(cluster: Emulator, tmp_path: Path, stack: AsyncExitStack) -> KubeConnection:
    connection = await connect(cluster.kubeconfig(tmp_path / "kubeconfig", token="ours"))
    stack.push_async_callback(connection.close)
    return connection


@pytest.fixture
def reader(connection: KubeConnection) -> KubeReader:
    return KubeReader(connection)


@pytest.fixture
def writer(connection: KubeConnection) -> KubeWriter:
    return KubeWriter(connection)


def scaling(cluster: Emulator, replicas: int) -> list[dict[str, Any]]:
    uid = (cluster.get("deployments", "shop", "api") or {})["metadata"]["uid"]
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "replace", "path": "/spec/replicas", "value": replicas},
    ]


def applied_by_us(cluster: Emulator) -> int:
    return sum(effect.user == "system:serviceaccount:ops:remediator" for effect in cluster.effects)


async def test_a_patch_that_was_applied_is_applied_in_our_name(cluster: Emulator, writer: KubeWriter) -> None:
    answer = await writer.patch("deployment", "shop", "api", scaling(cluster, 3))
    assert isinstance(answer, Applied)
    assert answer.object["spec"]["replicas"] == 3
    [effect] = [effect for effect in cluster.effects if effect.field_manager == "remediator"]
    assert effect.after == cluster.get("deployments", "shop", "api")


async def test_a_patch_whose_test_fails_is_refused(cluster: Emulator, writer: KubeWriter) -> None:
    patch = [{"op": "test", "path": "/metadata/uid", "value": "another"}, *scaling(cluster, 3)]
    answer = await writer.patch("deployment", "shop", "api", patch)
    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason) == (422, "Invalid")
    assert applied_by_us(cluster) == 0


async def test_a_patch_of_an_old_version_is_refused(cluster: Emulator, writer: KubeWriter) -> None:
    stale = {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}
    answer = await writer.patch("deployment", "shop", "api", [stale, *scaling(cluster, 3)])
    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason) == (409, "Conflict")
    assert applied_by_us(cluster) == 0


async def test_a_patch_of_an_object_that_is_not_there_is_refused(
    cluster: Emulator, writer: KubeWriter
) -> None:
    answer = await writer.patch("deployment", "shop", "web", scaling(cluster, 3))
    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_a_write_without_the_right_to_it_is_refused(cluster: Emulator, writer: KubeWriter) -> None:
    answer = await writer.patch("configmap", "shop", "settings", [])
    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason) == (403, "Forbidden")
    assert 'cannot patch resource "configmaps"' in answer.message


async def test_an_event_is_there_after_it_was_created(cluster: Emulator, writer: KubeWriter) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "api.run-1", "namespace": "shop"},
        "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "api"},
        "reason": "RolledBack",
        "message": "rolled back from revision 2 to 1",
        "type": "Normal",
    }
    answer = await writer.create_event("shop", event)
    assert isinstance(answer, Applied)
    assert cluster.get("events", "shop", "api.run-1") == answer.object
    again = await writer.create_event("shop", event)
    assert isinstance(again, Refused)
    assert (again.status, again.reason) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("action", "known", "applied"),
    [
        (AnswerStatus(409, "Conflict"), Refused, False),
        (AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "1"}), Refused, False),
        (AnswerStatus(500, "InternalError"), Unclear, False),
        (AnswerStatus(504, "Timeout"), Unclear, False),
        (AnswerStatus(200, body={"kind": "Status", "status": "Success"}), Unclear, False),
        (AnswerStatus(200, body="<html>log in</html>"), Unclear, False),
        (AnswerStatus(302, headers={"Location": "/login"}), Unclear, False),
        (HangBeforeApplying(), Unclear, False),
        (DropBeforeApplying(), Unclear, False),
        (ApplyLate(34.0), Unclear, False),
        (ApplyLate(34.0, hang=True), Unclear, False),
        (ApplyThenHang(), Unclear, True),
        (ApplyThenDrop(), Unclear, True),
        (ApplyThenFail(), Unclear, True),
        (HalfBody(), Unclear, True),
    ],
)
async def test_only_what_is_certain_is_said_of_a_write_that_goes_wrong(
    cluster: Emulator, writer: KubeWriter, action: Action, known: type, applied: bool
) -> None:
    fault = cluster.faults.add(Fault("PATCH", "deployments/api", action))
    answer = await writer.patch("deployment", "shop", "api", scaling(cluster, 3), deadline=0.5)
    assert type(answer) is known
    assert applied_by_us(cluster) == applied
    assert fault.hits == 1
    assert [request.method for request in cluster.requests] == ["PATCH"]
    fault.release()


async def test_a_write_during_an_outage_was_not_sent(cluster: Emulator, writer: KubeWriter) -> None:
    async with cluster.outage():
        answer = await writer.patch("deployment", "shop", "api", scaling(cluster, 3))
    assert isinstance(answer, NotSent)
    assert list(cluster.requests) == []


async def test_what_is_read_is_what_is_there(cluster: Emulator, reader: KubeReader) -> None:
    await cluster.advance(5.0)
    assert await reader.get("deployment", "shop", "api") == cluster.get("deployments", "shop", "api")
    assert await reader.get("deployment", "shop", "web") is None
    assert await reader.list("deployment", "shop") == cluster.list("deployments", "shop")
    [pod] = await reader.list("pod", "shop", {"app": "api"})
    assert (pod["kind"], pod["apiVersion"]) == ("Pod", "v1")
    assert await reader.list("pod", "shop", {"app": "web"}) == []
    assert await reader.list("pod", "shop", field_selector={"metadata.name": pod["metadata"]["name"]}) == [
        pod
    ]


async def test_namespaces_are_found_by_their_labels(cluster: Emulator, reader: KubeReader) -> None:
    assert await reader.namespace("shop") == cluster.get("namespaces", "", "shop")
    assert await reader.namespace("nowhere") is None
    assert [found["metadata"]["name"] for found in await reader.namespaces({"on": "yes"})] == ["shop"]


async def test_a_list_of_several_pages_is_whole(cluster: Emulator, reader: KubeReader) -> None:
    names = [f"settings-{number:04}" for number in range(1001)]
    for name in names:
        cluster.create(a_config_map(name))
    assert [found["metadata"]["name"] for found in await reader.list("configmap", "shop")] == names
    assert len(cluster.requests) == 3


async def test_a_list_that_expires_between_its_pages_is_begun_again(
    cluster: Emulator, reader: KubeReader
) -> None:
    for number in range(501):
        cluster.create(a_config_map(f"settings-{number:04}"))
    second_page = Fault("GET", "configmaps", Hold(), when=lambda call, _: "continue" in call.query)
    cluster.faults.add(second_page)
    listing = asyncio.create_task(reader.list("configmap", "shop"))
    await second_page.reached()
    cluster.create(a_config_map("settings-0501"))
    cluster.forget_history()
    second_page.release()
    assert len(await listing) == 502
    assert [request.status for request in cluster.requests] == [200, 410, 200, 200]


async def test_what_may_not_be_read_says_what_to_grant(cluster: Emulator, reader: KubeReader) -> None:
    with pytest.raises(Permanent, match="grant get on services in namespace shop to this ServiceAccount"):
        await reader.get("service", "shop", "api")
    with pytest.raises(Permanent, match="grant list on pods in namespace other to this ServiceAccount"):
        await reader.list("pod", "other")


async def test_a_token_that_was_revoked_is_permanent(cluster: Emulator, reader: KubeReader) -> None:
    cluster.access.remove("ours")
    with pytest.raises(Permanent, match="the token is not valid"):
        await reader.get("deployment", "shop", "api")


async def test_a_read_during_an_outage_succeeds_after_it(cluster: Emulator, reader: KubeReader) -> None:
    async with cluster.outage():
        with pytest.raises(NeverSent):
            await reader.get("deployment", "shop", "api")
    assert await reader.get("deployment", "shop", "api") is not None


@pytest.mark.parametrize(
    "action", [DropBeforeApplying(), HalfBody(), AnswerStatus(503, "ServiceUnavailable")]
)
async def test_a_read_that_goes_wrong_once_is_tried_again(
    cluster: Emulator, reader: KubeReader, action: Action
) -> None:
    fault = cluster.faults.add(Fault("GET", "deployments/api", action))
    assert await reader.get("deployment", "shop", "api") == cluster.get("deployments", "shop", "api")
    assert fault.hits == 1


async def test_logs_of_a_crashing_container_and_of_its_predecessor(
    cluster: Emulator, reader: KubeReader
) -> None:
    cluster.patch("deployments", "shop", "api", [image_of_the_first_container("shop/api:crash")])
    await cluster.advance(60.0)
    [crashing] = [pod for pod in cluster.list("pods", "shop") if "crash" in str(pod["spec"])]
    name = crashing["metadata"]["name"]
    assert await reader.logs("shop", name, "web", tail=1) == "fatal: simulated crash\n"
    assert await reader.logs("shop", name, "web", previous=True) == "starting\nfatal: simulated crash\n"
    assert await reader.logs("shop", name, "web", limit_bytes=5) == "start"


async def test_logs_that_are_not_there_are_permanent_in_kubernetes_words(
    cluster: Emulator, reader: KubeReader
) -> None:
    await cluster.advance(5.0)
    [pod] = cluster.list("pods", "shop")
    name = pod["metadata"]["name"]
    with pytest.raises(Permanent, match="previous terminated container"):
        await reader.logs("shop", name, "web", previous=True)
    with pytest.raises(Permanent, match="container sidecar is not valid for pod"):
        await reader.logs("shop", name, "sidecar")
    with pytest.raises(Permanent, match="not found"):
        await reader.logs("shop", "nothing", "web")


def a_config_map(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


def image_of_the_first_container(image: str) -> JsonObject:
    return {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}
