"""The emulator's scheduler in real time."""

import asyncio

import pytest

from remediator.clock import SystemClock
from remediator.sandbox.kubernetes.loop import Loop


async def test_it_ends_when_it_is_told_to_in_the_moment_in_which_something_becomes_due() -> None:
    loop = Loop(SystemClock())
    loop.after(60, lambda: None)
    running = asyncio.create_task(loop.run_forever())
    for _ in range(5):
        await asyncio.sleep(0)
    loop.after(60, lambda: None)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await running
