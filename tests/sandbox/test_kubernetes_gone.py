"""What goes away under its hands, a client or a namespace, is no news to the emulator."""

import asyncio

import pytest

from remediator.sandbox.kubernetes import DrivenClock, Emulator
from tests.sandbox.kubernetes_client import (
    BOT,
    CONFIG_MAPS,
    client_of,
    config_map,
    deployment,
    driven_world,
)


async def test_who_watches_and_goes_leaves_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with driven_world() as world:
        watch = await world.client.session.get(f"{world.cluster.url}{CONFIG_MAPS}", params={"watch": "true"})
        assert watch.status == 200
        watch.close()
        await asyncio.sleep(0)
        for number in range(5):
            world.cluster.create(config_map(f"settings-{number}"))
        for _ in range(5):
            await asyncio.sleep(0)
    assert caplog.messages == []


async def test_a_controller_leaves_alone_what_is_in_a_namespace_that_goes() -> None:
    async with Emulator(DrivenClock(), accounts=[BOT]) as cluster, client_of(cluster) as client:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "short"}}
        await client.create("/api/v1/namespaces", namespace)
        await cluster.advance(1)
        await client.create("/apis/apps/v1/namespaces/short/deployments", deployment())
        answer = await client.call("DELETE", "/api/v1/namespaces/short")
        assert answer.status == 200, answer.text
        await cluster.advance(60)
        assert cluster.get("namespace", "", "short") is None
