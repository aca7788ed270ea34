"""Keeps a loop going: one unit of work after another, whatever a single one does."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from remediator.clock import Clock
from remediator.telemetry import Metrics

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(slots=True)
class Bell:
    """Rung when there may be work, so that loops need not wait out their interval."""

    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of the daemon."""

    name: str
    tick: Callable[[], Awaitable[bool]]
    """One unit of work; True when there may be more at once."""
    every: float
    """Seconds between units when there is nothing to do."""
    bell: Bell
    wakes: tuple[Bell, ...] = ()
    """Bells of the loops that follow this one on the way of an alert."""
    longest_pause: float = _LONGEST_PAUSE_SECONDS
    """Seconds between units that fail, at most."""


def stopped_by_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; from then on neither ends the process. Call it within the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def supervise(loop: Loop, metrics: Metrics, clock: Clock, stopping: asyncio.Event) -> None:
    """Run the loop until `stopping` is set. A unit that fails is logged, and the next comes after a growing pause."""
    failures = 0
    # A loop that fails from the start on would have no series, and no alarm.
    metrics.loop_last_success.labels(loop.name).set(clock.now().timestamp())
    while not stopping.is_set():
        try:
            more = await loop.tick()
        except Exception as reason:  # noqa: BLE001
            # One of the two broad handlers of this program: no single failure stops a loop.
            failures += 1
            _log.warning("loop %s: %s: %s", loop.name, type(reason).__name__, reason, exc_info=failures == 1)
            await loop.bell.wait(min(loop.longest_pause, loop.every * 2 ** min(failures, 8)))
            continue
        failures = 0
        metrics.loop_last_success.labels(loop.name).set(clock.now().timestamp())
        for bell in loop.wakes if more else ():
            bell.ring()
        if not more:
            await loop.bell.wait(loop.every)
