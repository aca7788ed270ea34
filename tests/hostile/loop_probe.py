"""How long an event loop stands still."""

import asyncio
import time
from pathlib import Path

_EVERY = 0.005


class Stall:
    """Watches the loop it runs in."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        """Seconds in which the loop did not come round while its process worked, in whichever of its threads.

        What other processes take from us on a busy machine is no fault of ours: the time this thread waited for a
        processor is taken off, as the scheduler counts it, and so is what no thread of ours worked.
        """
        while True:
            wall, busy, waited = time.perf_counter(), time.process_time(), _waited_for_a_processor()
            await asyncio.sleep(_EVERY)
            late = time.perf_counter() - wall - _EVERY - (_waited_for_a_processor() - waited)
            self.worst = max(self.worst, min(late, time.process_time() - busy))


def _waited_for_a_processor() -> float:
    """Seconds, of this thread since it began: the second field of the kernel's schedstat."""
    return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
