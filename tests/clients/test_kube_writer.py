"""Writes that were applied, and writes that were refused: where nothing is left to find out."""

from typing import Any

import pytest
from aiohttp import web

from remediator.clients.kube_write import Applied, KubeWriter, Refused
from tests.clients.kube_answers import DEPLOYMENT, PATCH, a_status
from tests.clients.servers import Kube, Patched, Serve


@pytest.mark.parametrize("status", [200, 201])
async def test_the_object_as_answer_means_applied(patched: Patched, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(DEPLOYMENT, status=status)

    assert await patched(answer) == Applied(DEPLOYMENT)


async def test_a_patch_goes_out_as_a_json_patch_in_our_name(kube: Kube, serve: Serve) -> None:
    asked: list[tuple[str, str, str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.raw_path, request.content_type, await request.json()))
        return web.json_response(DEPLOYMENT)

    connection = await kube(await serve(answer))
    await KubeWriter(connection).patch("deployment", "shop", "api", PATCH)
    await KubeWriter(connection, "remediator-drill").patch("pod", "shop", "api-1", [])
    path = "/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=remediator"
    assert asked[0] == ("PATCH", path, "application/json-patch+json", PATCH)
    assert asked[1][1] == "/api/v1/namespaces/shop/pods/api-1?fieldManager=remediator-drill"


async def test_an_event_is_created_in_its_namespace(kube: Kube, serve: Serve) -> None:
    asked: list[tuple[str, str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.raw_path, request.content_type))
        return web.json_response({**await request.json(), "apiVersion": "v1"}, status=201)

    writer = KubeWriter(await kube(await serve(answer)))
    event = {"kind": "Event", "metadata": {"name": "api.1"}, "message": "rolled back"}
    assert await writer.create_event("shop", event) == Applied({**event, "apiVersion": "v1"})
    assert asked == [("POST", "/api/v1/namespaces/shop/events?fieldManager=remediator", "application/json")]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (413, "RequestEntityTooLarge"),
        (415, "UnsupportedMediaType"),
        (422, "Invalid"),
    ],
)
async def test_a_4xx_means_refused_in_kubernetes_words(patched: Patched, status: int, reason: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_status(status, reason, "no, because")

    assert await patched(answer) == Refused(status, reason, "no, because", None)


async def test_too_many_requests_means_refused_and_says_when_to_come_back(patched: Patched) -> None:
    async def answer(_: web.Request) -> web.Response:
        refusal = a_status(429, "TooManyRequests", "slow down")
        refusal.headers["Retry-After"] = "3"
        return refusal

    assert await patched(answer) == Refused(429, "TooManyRequests", "slow down", 3.0)


async def test_a_4xx_of_something_in_between_means_refused_too(patched: Patched) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=403, text="<h1>blocked\n by policy</h1>")

    assert await patched(answer) == Refused(403, "", "<h1>blocked by policy</h1>", None)


async def test_a_name_cannot_add_to_the_query(kube: Kube, serve: Serve) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response(DEPLOYMENT)

    writer = KubeWriter(await kube(await serve(answer)))
    await writer.patch("deployment", "shop", "api?dryRun=All#", PATCH)
    assert asked == [
        "/apis/apps/v1/namespaces/shop/deployments/api%3FdryRun%3DAll%23?fieldManager=remediator"
    ]
