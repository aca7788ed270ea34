"""Waiting for something to become true in real time, never for a time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def until(
    found: Callable[[], Awaitable[Any]], what: str, *, seconds: float = 90.0, every: float = 0.2
) -> Any:
    """Ask again and again until the answer is truthy. Fails with `what` when it never is."""
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await found()):  # noqa: ASYNC110 -- what is waited for is in other processes
                await asyncio.sleep(every)
            return answer
    except TimeoutError:
        raise AssertionError(f"within {seconds:g} s: {what}") from None
