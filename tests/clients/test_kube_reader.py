"""Reading one object or log from Kubernetes, and what somebody has to do about a refusal."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.http import NeverSent
from remediator.clients.kube_read import KubeReader
from remediator.errors import Permanent, Retryable
from tests.clients.kube_answers import DEPLOYMENT, a_list, a_status
from tests.clients.servers import Kube, Reading, Serve, never, no_answer


async def test_an_object_comes_as_the_api_server_sent_it(reading: Reading) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response(DEPLOYMENT)

    reader = await reading(answer)
    assert await reader.get("deployment", "shop", "api") == DEPLOYMENT
    assert asked == ["/apis/apps/v1/namespaces/shop/deployments/api"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("deployment", "/apis/apps/v1/namespaces/shop/deployments/x"),
        ("replicaset", "/apis/apps/v1/namespaces/shop/replicasets/x"),
        ("pod", "/api/v1/namespaces/shop/pods/x"),
        ("event", "/api/v1/namespaces/shop/events/x"),
        ("configmap", "/api/v1/namespaces/shop/configmaps/x"),
        ("service", "/api/v1/namespaces/shop/services/x"),
    ],
)
async def test_each_kind_is_read_at_its_own_path(reading: Reading, kind: str, path: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response({"metadata": {"name": "x"}})

    await (await reading(answer)).get(kind, "shop", "x")
    assert asked == [path]


async def test_an_object_that_is_not_there_is_none(reading: Reading) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_status(404, "NotFound", 'deployments.apps "api" not found', name="api", kind="deployments")

    assert await (await reading(answer)).get("deployment", "shop", "api") is None


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=404, text="404 page not found\n"),
        lambda: web.Response(status=404, text="default backend - 404"),
        lambda: a_status(404, "NotFound", "the server could not find the requested resource"),
        lambda: a_status(404, "NotFound", 'namespaces "shop" not found', name="shop"),
        lambda: web.json_response({"reason": "NotFound", "details": None}, status=404),
        lambda: web.json_response([], status=404),
    ],
)
async def test_a_404_that_is_not_about_the_object_proves_nothing(
    reading: Reading, answer: Callable[[], web.Response]
) -> None:
    async def not_found(_: web.Request) -> web.Response:
        return answer()

    with pytest.raises(Permanent, match="404"):
        await (await reading(not_found)).get("deployment", "shop", "api")


async def test_a_forbidden_read_says_what_to_grant(reading: Reading) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_status(403, "Forbidden", 'User "system:serviceaccount:ops:remediator" cannot get')

    reader = await reading(answer)
    with pytest.raises(Permanent, match="grant get on deployments in namespace shop to this ServiceAccount"):
        await reader.get("deployment", "shop", "api")
    with pytest.raises(Permanent, match="grant list on pods in namespace shop to this ServiceAccount"):
        await reader.list("pod", "shop")
    with pytest.raises(Permanent, match="grant get on pods/log in namespace shop to this ServiceAccount"):
        await reader.logs("shop", "api-1", "web")
    with pytest.raises(Permanent, match="grant list on namespaces to this ServiceAccount"):
        await reader.namespaces({"a": "b"})


async def test_a_token_that_is_not_accepted_is_permanent(reading: Reading) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_status(401, "Unauthorized", "Unauthorized")

    with pytest.raises(Permanent, match="the token is not valid"):
        await (await reading(answer)).get("deployment", "shop", "api")


@pytest.mark.parametrize("status", [302, 400, 405, 406, 422])
async def test_every_other_refusal_is_permanent_and_asked_once(reading: Reading, status: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, text="no", headers={"Location": "/elsewhere"})

    with pytest.raises(Permanent, match=f"answered {status} to get deployments in namespace shop: no"):
        await (await reading(answer)).get("deployment", "shop", "api")
    assert len(asked) == 1


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_passing_failure_is_tried_again_at_once(reading: Reading, failures: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) <= failures:
            return a_status(500, "InternalError")
        return web.json_response(DEPLOYMENT)

    assert await (await reading(answer)).get("deployment", "shop", "api") == DEPLOYMENT
    assert len(asked) == failures + 1


@pytest.mark.parametrize("status", [410, 429, 500, 502, 503, 504])
async def test_a_failure_that_does_not_pass_is_retryable_after_three_times(
    reading: Reading, status: int
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return a_status(status, "Whatever", "later")

    with pytest.raises(Retryable, match=f"answered {status} to get deployments in namespace shop: later"):
        await (await reading(answer)).get("deployment", "shop", "api")
    assert len(asked) == 3


async def test_a_server_that_asks_for_patience_is_left_alone(reading: Reading) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=429, headers={"Retry-After": "1"})

    with pytest.raises(Retryable) as raised:
        await (await reading(answer)).get("deployment", "shop", "api")
    assert raised.value.retry_after == 1.0
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"kind":'])
async def test_an_object_that_cannot_be_read_is_retryable(reading: Reading, body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    with pytest.raises(Retryable, match="not an object"):
        await (await reading(answer)).get("deployment", "shop", "api")


async def test_no_answer_within_the_deadline_is_retryable(kube: Kube, serve: Serve) -> None:
    reader = KubeReader(await kube(await serve(no_answer)), deadline=0.2)
    with pytest.raises(Retryable, match=r"did not answer within 0\.2 s"):
        await reader.get("deployment", "shop", "api")


async def test_quick_retries_stay_within_the_one_deadline(kube: Kube, serve: Serve) -> None:
    asked: list[str] = []

    async def fail_then_hang(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) == 1:
            return a_status(503, "ServiceUnavailable")
        return await no_answer(request)

    reader = KubeReader(await kube(await serve(fail_then_hang)), deadline=0.5)
    async with asyncio.timeout(5.0):
        with pytest.raises(Retryable):
            await reader.get("deployment", "shop", "api")
    assert len(asked) == 2


async def test_an_api_server_that_is_down_is_retryable(kube: Kube, refusing: str) -> None:
    with pytest.raises(NeverSent, match="cannot connect"):
        await KubeReader(await kube(refusing)).get("deployment", "shop", "api")


@pytest.mark.parametrize(
    ("kind", "namespace", "name"),
    [
        ("secret", "shop", "x"),
        ("pod", "", "x"),
        ("pod", "shop", ""),
        ("pod", "shop", ".."),
        ("pod", "a/b", "x"),
    ],
)
async def test_what_names_no_object_is_not_asked_for(
    reading: Reading, kind: str, namespace: str, name: str
) -> None:
    with pytest.raises(Permanent):
        await (await reading(never)).get(kind, namespace, name)


async def test_a_namespace_is_read_at_the_top(reading: Reading) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/v1/namespaces":
            return a_list([{"metadata": {"name": "shop"}}])
        if request.path == "/api/v1/namespaces/shop":
            return web.json_response({"kind": "Namespace", "metadata": {"name": "shop"}})
        return a_status(404, "NotFound", 'namespaces "x" not found', name="x", kind="namespaces")

    reader = await reading(answer)
    assert await reader.namespace("shop") == {"kind": "Namespace", "metadata": {"name": "shop"}}
    assert await reader.namespace("x") is None
    assert await reader.namespaces(None) == [
        {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}
    ]


async def test_logs_are_the_last_lines_of_one_container(reading: Reading) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, dict(request.query)))
        return web.Response(body=b"caf\xe9\nfatal\n", content_type="text/plain")

    reader = await reading(answer)
    assert (
        await reader.logs("shop", "api-1", "web", previous=True, tail=2, limit_bytes=99)
        == "caf\ufffd\nfatal\n"
    )
    path = "/api/v1/namespaces/shop/pods/api-1/log"
    query = {"container": "web", "previous": "true", "tailLines": "2", "limitBytes": "99"}
    assert asked == [(path, query)]


async def test_a_pod_that_is_on_no_node_yet_has_an_empty_log(reading: Reading) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=204)

    assert await (await reading(answer)).logs("shop", "api-1", "web") == ""


async def test_a_log_that_is_not_there_is_permanent_in_kubernetes_words(reading: Reading) -> None:
    said = 'previous terminated container "web" in pod "api-1" not found'

    async def answer(_: web.Request) -> web.Response:
        return a_status(400, "BadRequest", said)

    with pytest.raises(Permanent, match=said):
        await (await reading(answer)).logs("shop", "api-1", "web", previous=True)


async def test_cancelling_a_read_cancels_it(reading: Reading) -> None:
    asked = asyncio.Event()

    async def note(request: web.Request) -> web.Response:
        asked.set()
        return await no_answer(request)

    read = asyncio.create_task((await reading(note)).list("pod", "shop"))
    await asked.wait()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"metadata": {}},
        {"metadata": {"name": "web"}},
        {"metadata": {"name": "api"}, "spec": 5},
        {"metadata": {"name": "api"}, "status": "fine"},
        {"metadata": {"name": "api", "annotations": []}},
    ],
)
async def test_what_is_not_the_object_that_was_asked_for_is_none_of_it(
    reading: Reading, document: Any
) -> None:
    """An empty answer must not read as an object without annotations, which nobody has paused."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(document)

    with pytest.raises(Retryable):
        await (await reading(answer)).get("deployment", "shop", "api")
