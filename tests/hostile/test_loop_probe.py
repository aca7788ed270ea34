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
    """Once in 200 times: where much goes on, what waits for the interpreter counts as waiting for a processor too."""
    document = json.dumps([{"a": number} for number in range(400_000)])
    began = time.thread_time()
    json.loads(document)
    takes = time.thread_time() - began
    seen = 0.0
    for _ in range(200):
        stall = Stall()
        watching = asyncio.create_task(stall.watch())
        await asyncio.sleep(0)
        await asyncio.to_thread(json.loads, document)
        await asyncio.sleep(0.02)
        watching.cancel()
        seen = max(seen, stall.worst)
        if seen >= takes / 4:
            break
    assert seen >= takes / 4
