"""How long an event loop stands still."""

import asyncio
import time

_EVERY = 0.005


class Stall:
    """Watches the loop it runs in."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        """Time in which the thread of the loop worked and did not come round.

        What other processes take from us on a busy machine is no fault of ours, and is not in it.
        """
        while True:
            wall, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_EVERY)
            late = time.perf_counter() - wall - _EVERY
            self.worst = max(self.worst, min(late, time.thread_time() - busy))
