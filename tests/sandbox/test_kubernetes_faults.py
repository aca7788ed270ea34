"""What a test can make go wrong with the emulator, and what is really applied when it does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from remediator.sandbox.kubernetes import Emulator, Fault, faults
from remediator.sandbox.kubernetes.faults import Action
from tests.sandbox.kubernetes_client import (
    CONFIG_MAPS,
    Answered,
    Client,
    World,
    client_of,
    config_map,
    driven_world,
)

SETTINGS = f"{CONFIG_MAPS}/settings"
PATCH = [{"op": "add", "path": "/data/colour", "value": "blue"}]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with driven_world() as world:
        await world.client.create(CONFIG_MAPS, config_map("settings", colour="red"))
        yield world


def colour(cluster: Emulator) -> str:
    found = cluster.get("configmap", "default", "settings")
    assert found is not None
    return str(found["data"]["colour"])


def lay(cluster: Emulator, action: Action, times: int | None = 1) -> Fault:
    return cluster.faults.add(Fault("PATCH", "/configmaps/settings$", action, times=times))


async def until_it_stands(fault: Fault, request: Awaitable[Answered]) -> "asyncio.Task[Answered]":
    sent = asyncio.ensure_future(request)
    await fault.reached()
    assert not sent.done()
    return sent


async def test_a_status_is_answered_with_its_headers_and_nothing_is_applied(
    world: World,
) -> None:
    cluster, client = world.cluster, world.client
    lay(cluster, faults.AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "7"}))
    answer = await client.patch(SETTINGS, PATCH)
    assert (answer.status, answer.body["reason"]) == (429, "TooManyRequests")
    assert answer.headers["Retry-After"] == "7"
    assert colour(cluster) == "red"


async def test_an_answer_may_be_no_json_at_all(world: World) -> None:
    cluster, client = world.cluster, world.client
    lay(cluster, faults.AnswerStatus(502, body="<html>bad gateway</html>"))
    answer = await client.patch(SETTINGS, PATCH)
    assert (answer.status, answer.text) == (502, "<html>bad gateway</html>")


async def test_a_fault_springs_as_often_as_it_was_told(world: World) -> None:
    cluster, client = world.cluster, world.client
    fault = lay(cluster, faults.AnswerStatus(503), times=2)
    assert [(await client.patch(SETTINGS, PATCH)).status for _ in range(3)] == [503, 503, 200]
    assert fault.hits == 2


async def test_a_fault_may_choose_by_body_and_user(world: World) -> None:
    cluster, client = world.cluster, world.client
    fault = cluster.faults.add(
        Fault(
            "*",
            "/configmaps/",
            faults.AnswerStatus(500),
            when=lambda call, user: user.endswith(":bot") and b"blue" in call.body,
            times=None,
        )
    )
    assert (await client.call("GET", SETTINGS)).status == 200
    assert (await client.patch(SETTINGS, PATCH)).status == 500
    cluster.faults.remove(fault)
    assert (await client.patch(SETTINGS, PATCH)).status == 200


async def test_a_request_on_hold_goes_on_when_released(world: World) -> None:
    cluster, client = world.cluster, world.client
    fault = lay(cluster, faults.Hold())
    sent = await until_it_stands(fault, client.patch(SETTINGS, PATCH))
    assert colour(cluster) == "red"
    fault.release()
    assert (await sent).status == 200
    assert colour(cluster) == "blue"


@pytest.mark.parametrize("action", [faults.Hold(), faults.HangBeforeApplying(), faults.Delay(60)])
async def test_a_client_that_leaves_before_its_write_is_applied_has_not_written(
    world: World, action: Action
) -> None:
    cluster, client = world.cluster, world.client
    async with client_of(cluster) as leaving:
        fault = lay(cluster, action)
        sent = await until_it_stands(fault, leaving.patch(SETTINGS, PATCH))
        sent.cancel()
    await client.get(SETTINGS)
    fault.release()
    await cluster.advance(120)
    await client.get(SETTINGS)
    assert colour(cluster) == "red"
    assert [entry.status for entry in cluster.requests if entry.method == "PATCH"] == [0]


async def test_a_request_that_hangs_is_dropped_unapplied_when_released(
    world: World,
) -> None:
    cluster, client = world.cluster, world.client
    fault = lay(cluster, faults.HangBeforeApplying())
    sent = await until_it_stands(fault, client.patch(SETTINGS, PATCH))
    fault.release()
    with pytest.raises(aiohttp.ClientConnectionError):
        await sent
    assert colour(cluster) == "red"


async def test_a_write_may_be_applied_though_its_answer_hangs(world: World) -> None:
    cluster, client = world.cluster, world.client
    fault = lay(cluster, faults.ApplyThenHang())
    sent = await until_it_stands(fault, client.patch(SETTINGS, PATCH))
    assert colour(cluster) == "blue"
    fault.release()
    assert (await sent).body["data"]["colour"] == "blue"


@pytest.mark.parametrize(
    ("action", "after"), [(faults.DropBeforeApplying(), "red"), (faults.ApplyThenDrop(), "blue")]
)
async def test_a_dropped_connection_does_not_say_whether_the_write_was_applied(
    world: World, action: Action, after: str
) -> None:
    cluster, client = world.cluster, world.client
    lay(cluster, action)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.patch(SETTINGS, PATCH)
    assert colour(cluster) == after
    assert cluster.requests[-1].status == 0


async def test_a_write_may_be_applied_though_the_answer_is_500(world: World) -> None:
    cluster, client = world.cluster, world.client
    lay(cluster, faults.ApplyThenFail())
    answer = await client.patch(SETTINGS, PATCH)
    assert (answer.status, answer.body["reason"]) == (500, "InternalError")
    assert colour(cluster) == "blue"


async def test_success_may_be_pretended(world: World) -> None:
    cluster, client = world.cluster, world.client
    before = await client.get(SETTINGS)
    lay(cluster, faults.PretendSuccess())
    answer = await client.patch(SETTINGS, PATCH)
    assert (answer.status, answer.body) == (200, before)
    assert colour(cluster) == "red"


async def test_a_create_that_only_pretends_leaves_nothing(world: World) -> None:
    cluster, client = world.cluster, world.client
    cluster.faults.add(Fault("POST", "/configmaps$", faults.PretendSuccess()))
    answer = await client.call("POST", CONFIG_MAPS, config_map("other"))
    assert (answer.status, answer.body["metadata"]["name"]) == (201, "other")
    assert cluster.get("configmap", "default", "other") is None


async def test_half_a_body_may_be_all_that_comes(world: World) -> None:
    cluster, client = world.cluster, world.client
    lay(cluster, faults.HalfBody())
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.patch(SETTINGS, PATCH)
    assert colour(cluster) == "blue"


async def test_a_watch_may_break_in_the_middle_of_an_event(world: World) -> None:
    cluster, client = world.cluster, world.client
    cluster.faults.add(
        Fault("GET", "/configmaps$", faults.HalfBody(), when=lambda call, _: call.flag("watch"))
    )
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.call("GET", CONFIG_MAPS, watch="true")


async def test_a_delay_is_by_the_clusters_clock(world: World) -> None:
    cluster, client = world.cluster, world.client
    fault = lay(cluster, faults.Delay(30))
    sent = await until_it_stands(fault, client.patch(SETTINGS, PATCH))
    await cluster.advance(29)
    assert colour(cluster) == "red"
    await cluster.advance(1)
    assert (await sent).status == 200
    assert cluster.effects[-1].at == cluster.effects[0].at + timedelta(seconds=30)


@pytest.mark.parametrize("hang", [False, True])
async def test_a_write_may_land_long_after_its_client_gave_up(world: World, hang: bool) -> None:
    cluster = world.cluster
    async with client_of(cluster) as leaving:
        fault = lay(cluster, faults.ApplyLate(34, hang=hang))
        if hang:
            (await until_it_stands(fault, leaving.patch(SETTINGS, PATCH))).cancel()
        else:
            with pytest.raises(aiohttp.ClientConnectionError):
                await leaving.patch(SETTINGS, PATCH)
    await cluster.advance(33)
    assert colour(cluster) == "red"
    await cluster.advance(60)
    assert colour(cluster) == "blue"
    assert cluster.effects[-1].at == cluster.effects[0].at + timedelta(seconds=34)


async def test_a_late_write_that_lost_the_race_is_refused_like_any_other(
    world: World,
) -> None:
    cluster, client = world.cluster, world.client
    version = (await client.get(SETTINGS))["metadata"]["resourceVersion"]
    lay(cluster, faults.ApplyLate(34))
    guarded = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *PATCH]
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.patch(SETTINGS, guarded)
    cluster.patch("configmap", "default", "settings", {"data": {"colour": "green"}})
    await cluster.advance(34)
    assert colour(cluster) == "green"


async def test_in_an_outage_connections_are_refused_and_afterwards_all_is_there(
    world: World,
) -> None:
    cluster, client = world.cluster, world.client
    async with cluster.outage():
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(SETTINGS)
    assert (await client.get(SETTINGS))["data"] == {"colour": "red"}


async def test_a_clock_somebody_else_moves_is_caught_up_with_moment_by_moment() -> None:
    class Elsewhere:
        moment = datetime(2026, 1, 5, 12, tzinfo=UTC)

        def now(self) -> datetime:
            return self.moment

    clock = Elsewhere()
    async with Emulator(clock, anonymous_admin=True) as cluster:
        with pytest.raises(TypeError):
            await cluster.advance(1)
        cluster.create(config_map("settings", colour="red"))
        async with aiohttp.ClientSession() as session:
            client = Client(cluster.url, session)
            lay(cluster, faults.ApplyLate(10))
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.patch(SETTINGS, PATCH)
        clock.moment += timedelta(minutes=5)
        await cluster.catch_up()
    assert cluster.effects[-1].at == datetime(2026, 1, 5, 12, 0, 10, tzinfo=UTC)
