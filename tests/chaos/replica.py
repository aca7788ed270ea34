"""A daemon whose wall clock can be wrong: the tests' own entry point, wired by the product's composition root.

`python -m tests.chaos.replica CONFIG SHIFT` reads from the file SHIFT by how many seconds the wall clock is wrong,
at the start and at every SIGUSR1. The monotonic clock goes on as it is, as on a machine whose time is set.
"""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from remediator.app import assembled, running
from remediator.clock import SystemClock
from remediator.settings.load import load_settings
from remediator.telemetry import configure_logging


class ShiftedClock(SystemClock):
    """This machine's clock, wrong by so much."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wrong_by = timedelta(0)
        self.read()

    def read(self) -> None:
        self._wrong_by = timedelta(seconds=float(self._file.read_text()))

    def now(self) -> datetime:
        return min(super().now() + self._wrong_by, datetime(9000, 1, 1, tzinfo=UTC))


async def serve(config: Path, shift: Path) -> None:
    """As the product's own `serve`, until SIGTERM."""
    clock, stop = ShiftedClock(shift), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, clock.read)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with assembled(load_settings(config, {}, {}), clock) as daemon:
        await daemon.rules.reload()
        async with running(daemon):
            await stop.wait()


if __name__ == "__main__":
    configure_logging("info")
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
