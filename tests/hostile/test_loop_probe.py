"""The probe of the loop sees what blocks it: its own work, and a thread that does not let the interpreter go."""

import asyncio
import json
import time

from tests.hostile.loop_probe import Stall


async def test_what_the_loop_works_itself_is_seen() -> None:
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    await asyncio.sleep(0)
    began = time.thread_time()
    while time.thread_time() - began < 0.15:
        pass
    await asyncio.sleep(0.02)
    watching.cancel()
    assert stall.worst >= 0.12


async def test_a_thread_that_keeps_the_interpreter_is_seen() -> None:
    document = json.dumps([{"a": number} for number in range(400_000)])
    began = time.perf_counter()
    json.loads(document)
    takes = time.perf_counter() - began
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    await asyncio.sleep(0)
    await asyncio.to_thread(json.loads, document)
    await asyncio.sleep(0.02)
    watching.cancel()
    assert stall.worst >= takes / 4
