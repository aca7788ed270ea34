"""Writes of which it is unclear what became, or clear that they never left."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.kube_write import Applied, KubeWriter, NotSent, Unclear
from tests.clients.credentials import pass_a_minute, remove
from tests.clients.kube_answers import DEPLOYMENT, PATCH, a_status
from tests.clients.servers import (
    Kube,
    Patched,
    Serve,
    Talk,
    Talking,
    gibberish,
    half_a_refusal,
    half_an_object,
    hang_up,
    never,
    no_answer,
    reset,
)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 599])
async def test_a_5xx_is_unclear(patched: Patched, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_status(status, "", "etcdserver: request timed out")

    assert await patched(answer) == Unclear(f"Kubernetes answered {status}: etcdserver: request timed out")


@pytest.mark.parametrize("status", [202, 204, 206, 301, 302, 303, 304, 307, 308])
async def test_a_status_no_api_server_gives_to_a_write_is_unclear_and_not_followed(
    patched: Patched, status: int
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    assert isinstance(await patched(answer), Unclear)
    assert asked == ["PATCH"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b"<html>log in</html>",
        b'{"kind": "Deployment", "meta',
        b'{"kind": "Status", "status": "Success"}',
        b'{"error": "session expired"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
async def test_a_200_without_the_object_is_unclear(patched: Patched, body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    assert isinstance(await patched(answer), Unclear)


@pytest.mark.parametrize("ending", [reset, hang_up, gibberish, half_an_object, half_a_refusal])
async def test_a_connection_lost_after_sending_is_unclear_and_the_write_is_not_repeated(
    kube: Kube, talk: Talk, ending: Talking
) -> None:
    seen: list[bytes] = []

    async def take_and_lose(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"]"))
        await ending(reader, writer)

    writer = KubeWriter(await kube(await talk(take_and_lose)))
    answer = await writer.patch("deployment", "shop", "api", PATCH, deadline=5.0)
    assert isinstance(answer, Unclear)
    assert len(seen) == 1


async def test_a_kept_connection_that_is_lost_is_unclear_and_the_write_is_not_repeated(
    kube: Kube, serve: Serve
) -> None:
    asked: list[str] = []

    async def answer_once(request: web.Request) -> web.Response:
        asked.append(request.method)
        if len(asked) > 1 and request.transport is not None:
            request.transport.abort()
        return web.json_response(DEPLOYMENT)

    writer = KubeWriter(await kube(await serve(answer_once)))
    assert isinstance(await writer.patch("deployment", "shop", "api", PATCH), Applied)
    assert isinstance(await writer.patch("deployment", "shop", "api", PATCH), Unclear)
    assert asked == ["PATCH", "PATCH"]


@pytest.mark.parametrize("method", ["patch", "create_event"])
async def test_no_answer_within_the_deadline_is_unclear_and_the_write_is_not_repeated(
    kube: Kube, serve: Serve, method: str
) -> None:
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.method)
        return await no_answer(request)

    writer = KubeWriter(await kube(await serve(note)))
    if method == "patch":
        answer = await writer.patch("deployment", "shop", "api", PATCH, deadline=0.2)
    else:
        answer = await writer.create_event("shop", {}, deadline=0.2)
    assert isinstance(answer, Unclear)
    assert "did not answer within 0.2 s" in answer.why
    assert len(asked) == 1


async def test_a_refused_connection_means_not_sent(kube: Kube, refusing: str) -> None:
    writer = KubeWriter(await kube(refusing))
    answer = await writer.patch("deployment", "shop", "api", PATCH)
    assert isinstance(answer, NotSent)
    assert "cannot connect" in answer.why
    assert isinstance(await writer.create_event("shop", {}), NotSent)


async def test_a_connection_that_never_comes_about_means_not_sent(kube: Kube, silent: str) -> None:
    writer = KubeWriter(await kube(silent))
    assert isinstance(await writer.patch("deployment", "shop", "api", PATCH, deadline=0.4), NotSent)


async def test_a_failed_tls_handshake_means_not_sent(kube: Kube, serve: Serve) -> None:
    writer = KubeWriter(await kube((await serve(never)).replace("http:", "https:")))
    assert isinstance(await writer.patch("deployment", "shop", "api", PATCH), NotSent)


async def test_credentials_that_cannot_be_read_mean_not_sent(
    kube: Kube, serve: Serve, token_file: Path
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response(DEPLOYMENT)

    connection = await kube(await serve(answer))
    remove(token_file)
    pass_a_minute(connection)
    assert isinstance(await KubeWriter(connection).patch("deployment", "shop", "api", PATCH), NotSent)
    assert asked == []


@pytest.mark.parametrize(
    ("kind", "namespace", "name"),
    [
        ("secret", "shop", "api"),
        ("", "shop", "api"),
        ("deployment", "", "api"),
        ("deployment", "shop", ""),
        ("deployment", "shop", ".."),
        ("deployment", "..", "api"),
        ("deployment", "shop/deployments/other", "api"),
        ("deployment", "shop", "api/scale"),
        ("deployment", "shop", "%2e%2e"),
    ],
)
async def test_what_names_no_object_is_not_sent(
    kube: Kube, serve: Serve, kind: str, namespace: str, name: str
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response(DEPLOYMENT)

    writer = KubeWriter(await kube(await serve(answer)))
    assert isinstance(await writer.patch(kind, namespace, name, PATCH), NotSent)
    assert asked == []


async def test_cancelling_a_write_cancels_it(kube: Kube, serve: Serve) -> None:
    asked = asyncio.Event()

    async def note(request: web.Request) -> web.Response:
        asked.set()
        return await no_answer(request)

    writer = KubeWriter(await kube(await serve(note)))
    write = asyncio.create_task(writer.patch("deployment", "shop", "api", PATCH, deadline=30.0))
    await asked.wait()
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
