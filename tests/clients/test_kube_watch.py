"""Watches against an emulated API server, and against servers that break them off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.kube_answer import Expired
from remediator.clients.kube_connection import connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_watch import LASTS, KubeWatcher, Watch, WatchEvent
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable
from remediator.sandbox.kubernetes import AccessRule, DrivenClock, Emulator, Fault, service_account
from remediator.sandbox.kubernetes.faults import AnswerStatus, HalfBody
from tests.clients.servers import Answering, Kube, Serve

RULES = (
    AccessRule(["list", "watch"], [""], ["configmaps", "pods"], ["shop"]),
    AccessRule(["list"], ["apps"], ["deployments"], ["shop"]),
)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
async def cluster(clock: DrivenClock) -> AsyncIterator[Emulator]:
    async with Emulator(clock, accounts=[service_account("ops", "remediator", "ours", RULES)]) as cluster:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        yield cluster


@pytest.fixture
async def clients(cluster: Emulator, tmp_path: Path, stack: AsyncExitStack) -> tuple[KubeReader, KubeWatcher]:
    connection = await connect(cluster.kubeconfig(tmp_path / "kubeconfig", token="ours"))
    stack.push_async_callback(connection.close)
    return KubeReader(connection), KubeWatcher(connection)


def config_map(name: str, **data: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": data,
    }


async def events_of(watch: Watch, count: int) -> list[WatchEvent]:
    """The first events of a watch, which is closed then."""
    found = []
    async with asyncio.timeout(10), aclosing(watch.events()) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def told(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.what, event.object["metadata"].get("name", "")) for event in events]


async def test_a_watch_goes_on_where_the_list_ended(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    cluster.create(config_map("before"))
    listing = await reader.listing("configmap", "shop")
    names = {each["metadata"]["name"] for each in listing.objects}
    cluster.create(config_map("after", a="1"))
    watch = await watcher.watch("configmap", "shop", listing.version)
    cluster.patch("configmaps", "shop", "after", {"data": {"a": "2"}})
    cluster.delete("configmaps", "shop", "before")
    assert "before" in names
    assert told(await events_of(watch, 3)) == [
        ("added", "after"),
        ("modified", "after"),
        ("deleted", "before"),
    ]


async def test_the_version_of_an_event_or_a_bookmark_is_where_the_next_watch_goes_on(
    cluster: Emulator, clock: DrivenClock, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    version = (await reader.listing("configmap", "shop")).version
    watch = await watcher.watch("configmap", "shop", version)
    cluster.create(config_map("one"))
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}})
    await cluster.advance(LASTS - 1)
    events = await events_of(watch, 2)
    assert [event.what for event in events] == ["added", "bookmark"]
    assert int(events[1].version) > int(events[0].version)
    cluster.create(config_map("two"))
    again = await watcher.watch("configmap", "shop", events[1].version)
    assert told(await events_of(again, 1)) == [("added", "two")]


async def test_a_watch_ends_when_its_time_is_over(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    watch = await watcher.watch("configmap", "shop", (await reader.listing("configmap", "shop")).version)
    reading = asyncio.create_task(events_of(watch, 100))
    await cluster.advance(LASTS + 1)
    assert await reading == []


async def test_metadata_alone_can_be_listed_and_watched(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    cluster.create(config_map("one", a="1"))
    listing = await reader.listing("configmap", "shop", metadata_only=True)
    assert all("data" not in each for each in listing.objects)
    watch = await watcher.watch("configmap", "shop", listing.version, metadata_only=True)
    cluster.create(config_map("two", a="1"))
    (event,) = await events_of(watch, 1)
    assert event.object["metadata"]["name"] == "two"
    assert "data" not in event.object


async def test_a_version_too_long_ago_is_told_inside_the_stream(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    version = (await reader.listing("configmap", "shop")).version
    cluster.create(config_map("one"))
    cluster.forget_history()
    watch = await watcher.watch("configmap", "shop", version)
    with pytest.raises(Expired, match="too old resource version"):
        await events_of(watch, 1)


async def test_a_version_too_long_ago_may_be_told_by_the_status_as_well(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    cluster.faults.add(Fault("GET", "/configmaps$", AnswerStatus(410, "Expired")))
    with pytest.raises(Expired):
        await clients[1].watch("configmap", "shop", "1")


async def test_without_the_right_to_watch_the_sentence_says_what_to_grant(
    clients: tuple[KubeReader, KubeWatcher],
) -> None:
    with pytest.raises(Permanent, match="grant list and watch on deployments in namespace shop"):
        await clients[1].watch("deployment", "shop", "1")


async def test_a_busy_server_says_when_to_come_again(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    cluster.faults.add(
        Fault("GET", "/configmaps$", AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "7"}))
    )
    with pytest.raises(Retryable) as refused:
        await clients[1].watch("configmap", "shop", "1")
    assert refused.value.retry_after == 7


async def test_a_watch_that_breaks_in_the_middle_of_an_event_has_not_ended_well(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    version = (await reader.listing("configmap", "shop")).version
    cluster.faults.add(Fault("GET", "/configmaps$", HalfBody()))
    cluster.create(config_map("one"))
    watch = await watcher.watch("configmap", "shop", version)
    with pytest.raises(Retryable):
        await events_of(watch, 1)


async def test_closing_a_watch_lets_go_of_its_connection(
    cluster: Emulator, clients: tuple[KubeReader, KubeWatcher]
) -> None:
    reader, watcher = clients
    watch = await watcher.watch("configmap", "shop", (await reader.listing("configmap", "shop")).version)
    reading = asyncio.create_task(events_of(watch, 1))
    await asyncio.wait([reading], timeout=0.05)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    with pytest.raises(Retryable):
        await events_of(watch, 1)


def streaming(*pieces: bytes, ends: bool = True) -> Answering:
    """A server that answers 200 and sends these pieces."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if not ends:
            await asyncio.Event().wait()
        return response

    return answer


BOOKMARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'


async def test_events_may_be_cut_anywhere_on_their_way(serve: Serve, kube: Kube) -> None:
    server = await serve(streaming(BOOKMARK[:7], BOOKMARK[7:] + BOOKMARK + BOOKMARK[:9], BOOKMARK[9:]))
    watch = await KubeWatcher(await kube(server)).watch("pod", "shop", "1")
    assert [event.version for event in await events_of(watch, 9)] == ["9", "9", "9"]


async def test_silence_for_longer_than_a_watch_lasts_is_its_end(serve: Serve, kube: Kube) -> None:
    server = await serve(streaming(BOOKMARK, ends=False))
    watch = await KubeWatcher(await kube(server), silence=0.1).watch("pod", "shop", "1")
    with pytest.raises(Retryable, match="did not answer within"):
        await events_of(watch, 2)


@pytest.mark.parametrize(
    "piece",
    [
        b"<html>502 Bad Gateway</html>\n",
        b'{"type":"ADDED","object":{"metadata":{}}}\n',
        b'{"type":"NEWS","object":{"metadata":{"resourceVersion":"9"}}}\n',
        b'{"type":"ADDED"',
        b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is away"}}\n',
    ],
)
async def test_what_is_no_event_ends_the_watch(serve: Serve, kube: Kube, piece: bytes) -> None:
    watch = await KubeWatcher(await kube(await serve(streaming(piece)))).watch("pod", "shop", "1")
    with pytest.raises(Retryable):
        await events_of(watch, 1)


async def test_an_event_without_end_is_not_kept(serve: Serve, kube: Kube) -> None:
    server = await serve(streaming(*[b"x" * 2**20] * 10, ends=False))
    watch = await KubeWatcher(await kube(server)).watch("pod", "shop", "1")
    with pytest.raises(Permanent, match="larger than"):
        await events_of(watch, 1)
