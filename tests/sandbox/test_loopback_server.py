"""What every HTTP stand-in can be told: to be gone, to fail, to be slow."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from remediator.sandbox.loopback_server import LoopbackServer


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer([web.get("/hello", hello)]) as server:
        yield server


async def get(server: LoopbackServer, path: str = "/hello") -> tuple[int, str]:
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(server.url + path) as response,
    ):
        return response.status, await response.text()


async def test_what_it_does_not_do_is_a_501_that_names_it(server: LoopbackServer) -> None:
    assert await get(server, "/other") == (501, "LoopbackServer: this stand-in does not do GET /other\n")


async def test_told_to_fail_it_fails_until_told_otherwise(server: LoopbackServer) -> None:
    server.status = 500
    assert (await get(server))[0] == 500
    server.status = None
    assert await get(server) == (200, "hello")


async def test_stopped_it_refuses_connections_and_started_again_it_has_its_address(
    server: LoopbackServer,
) -> None:
    await server.stop()
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(server)
    await server.start()
    await server.start()
    assert await get(server) == (200, "hello")


async def test_stopping_ends_open_connections(server: LoopbackServer) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url + "/hello") as response:
            assert await response.text() == "hello"
        await server.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(server.url + "/hello", timeout=aiohttp.ClientTimeout(total=5))


async def test_while_stopped_nobody_else_gets_its_port(server: LoopbackServer) -> None:
    await server.stop()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))


async def test_a_delay_comes_before_every_answer(server: LoopbackServer) -> None:
    server.delay = 60
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await get(server)
