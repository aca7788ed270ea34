"""How often a server is asked that ends its watches in one way or another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.kube_connection import connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_watch import LASTS, KubeWatcher
from remediator.memory.follower import Cluster, Follower
from tests.clients.credentials import a_kubeconfig
from tests.support.clock import DrivenClock

EVENT = b'{"type":"ADDED","object":{"metadata":{"name":"new","resourceVersion":"8"}}}\n'


class Server:
    """An API server with one ConfigMap that ends each watch after sending `says`, unless told to hold it."""

    def __init__(self) -> None:
        self.says = b""
        self.holds = False
        self.status = 200
        self.asked: list[str] = []
        """`list`, or `watch` with the version it began from."""
        self._ended = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            self.asked.append("list")
            if self.status != 200:
                return web.Response(status=self.status)
            items = [{"metadata": {"name": "old", "resourceVersion": "5"}}]
            metadata = {"resourceVersion": "7"}
            return web.json_response({"kind": "ConfigMapList", "metadata": metadata, "items": items})
        self.asked.append(f"watch {request.query['resourceVersion']}")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(self.says)
        if self.holds:
            await self._ended.wait()
        return response

    def end(self) -> None:
        """End every watch that is held."""
        self._ended.set()
        self._ended = asyncio.Event()


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def follower(server: Server, clock: DrivenClock, tmp_path: Path) -> AsyncIterator[Follower[str]]:
    async with AsyncExitStack() as stack:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", server.answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        connection = await connect(a_kubeconfig(tmp_path, url, "user: {}"))
        stack.push_async_callback(connection.close)
        cluster = Cluster("here", KubeReader(connection), KubeWatcher(connection))
        follower = Follower(cluster, clock, "configmap", "shop", lambda obj: str(obj["metadata"]["name"]))
        stack.push_async_callback(follower.close)
        yield follower


async def until(condition: Callable[[], bool]) -> None:
    """Let what was sent arrive."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- what is waited for is another task's turn
            await asyncio.sleep(0)


async def followed(follower: Follower[str]) -> None:
    """Follow until the watch has ended."""
    await follower.follow()
    await until(lambda: not follower.is_current)


async def test_a_server_that_ends_every_watch_at_once_is_not_stormed(
    follower: Follower[str], server: Server, clock: DrivenClock
) -> None:
    for _ in range(200):
        await followed(follower)
    assert server.asked == ["list", "watch 7"]
    for _ in range(60):
        await clock.advance(1)
        await followed(follower)
    assert 2 <= server.asked.count("list") <= 12
    await clock.advance(30)
    await followed(follower)
    assert server.asked[-1] == "watch 7"


@pytest.mark.parametrize(("status", "longest"), [(503, 30), (403, 300)])
async def test_a_server_that_refuses_is_asked_less_and_less_often(
    follower: Follower[str], server: Server, clock: DrivenClock, status: int, longest: int
) -> None:
    server.status = status
    for _ in range(20):
        await follower.follow()
        await clock.advance(longest)
    tried = len(server.asked)
    for _ in range(10):
        await follower.follow()
        await clock.advance(longest / 20)
    assert len(server.asked) - tried <= 2 * (3 if status == 503 else 1)
    server.status, server.holds = 200, True
    await clock.advance(longest)
    await follower.follow()
    assert follower.is_current
    assert follower.objects == {"old": "old"}


async def test_a_watch_that_told_something_is_gone_on_with(follower: Follower[str], server: Server) -> None:
    server.says = EVENT
    await followed(follower)
    assert follower.objects == {"old": "old", "new": "new"}
    await followed(follower)
    assert server.asked == ["list", "watch 7", "watch 8"]


async def test_a_watch_that_lasted_and_told_nothing_is_replaced_by_a_list(
    follower: Follower[str], server: Server, clock: DrivenClock
) -> None:
    server.holds = True
    await follower.follow()
    assert follower.is_current
    await clock.advance(LASTS)
    server.end()
    await until(lambda: not follower.is_current)
    await follower.follow()
    assert server.asked == ["list", "watch 7", "list", "watch 7"]


async def test_what_is_no_longer_in_the_list_is_forgotten(
    follower: Follower[str], server: Server, clock: DrivenClock
) -> None:
    server.says = EVENT + b"gibberish\n"
    await followed(follower)
    assert "new" in follower.objects
    server.says, server.holds = b"", True
    await clock.advance(60)
    await follower.follow()  # sees that it failed
    await clock.advance(60)
    await follower.follow()
    assert follower.objects == {"old": "old"}


async def test_a_closed_follower_has_closed_its_watch(follower: Follower[str], server: Server) -> None:
    server.holds = True
    await follower.follow()
    await follower.close()
    assert not follower.is_current
