"""Servers on loopback that behave and misbehave, and connections to them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.http import HttpClient
from remediator.clients.kube_connection import KubeConnection, connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import KubeWriter, WriteAnswer
from tests.clients.credentials import a_kubeconfig
from tests.clients.kube_answers import PATCH
from tests.clients.servers import Answering, Echo, Kube, Patched, Reading, Serve, Talk, Talking


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


@pytest.fixture
def serve(stack: AsyncExitStack) -> Serve:
    """Answer every request; the address of the server."""

    async def start(answer: Answering) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    return start


@pytest.fixture
def talk(stack: AsyncExitStack) -> Talk:
    """Do what no HTTP server does with every connection; the address of the server.

    The headers of the first request have been read when `talking` is called, and the connection is
    closed when it returns.
    """

    async def start(talking: Talking) -> str:
        async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await talking(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
        stack.callback(server.close)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return start


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address that refuses connections and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that never answers an attempt to connect: the queue of its listener is full."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


@pytest.fixture
def kube(stack: AsyncExitStack, tmp_path: Path, token_file: Path) -> Kube:
    """A connection to an API server at an address, by a kubeconfig with a token file."""

    async def start(server: str) -> KubeConnection:
        connection = await connect(a_kubeconfig(tmp_path, server, f"user: {{tokenFile: {token_file}}}"))
        stack.push_async_callback(connection.close)
        return connection

    return start


@pytest.fixture
async def echo(serve: Serve) -> Echo:
    """An API server that answers anything with an empty object, and what it was asked."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        asked.append(request)
        return web.json_response({})

    return await serve(answer), asked


@pytest.fixture
def reading(kube: Kube, serve: Serve) -> Reading:
    """A reader of an API server that answers like this."""

    async def start(answer: Answering) -> KubeReader:
        return KubeReader(await kube(await serve(answer)), deadline=5.0)

    return start


@pytest.fixture
def patched(kube: Kube, serve: Serve) -> Patched:
    """What is known about a patch to which this was the answer."""

    async def patch(answer: Answering) -> WriteAnswer:
        writer = KubeWriter(await kube(await serve(answer)))
        return await writer.patch("deployment", "shop", "api", PATCH, deadline=5.0)

    return patch
