"""A client that goes away in the middle of an answer is no news to the emulator."""

import asyncio

import pytest

from tests.sandbox.kubernetes_client import CONFIG_MAPS, config_map, driven_world


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
