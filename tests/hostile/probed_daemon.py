"""The product's own `serve`, with a probe beside it: how long its event loop stood still, how much memory it took.

`python -m tests.hostile.probed_daemon PORT CONFIG`. Whoever connects to the port is told since the last
time, and that is forgotten.
"""

import asyncio
import json
import sys
from pathlib import Path

from remediator.app import serve
from remediator.settings.load import load_settings
from remediator.telemetry import configure_logging
from tests.hostile.loop_probe import Stall


class Probe:
    """Looks at its own process."""

    def __init__(self) -> None:
        self.stall = Stall()
        self._resident = _memory("VmRSS")

    async def tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer and forget."""
        grown = _memory("VmHWM") - self._resident
        told = {"stall": self.stall.worst, "grown": grown, "resident": _memory("VmRSS")}
        writer.write(json.dumps(told).encode())
        writer.close()
        _forget_the_highest()
        self.stall.worst, self._resident = 0.0, _memory("VmRSS")


def _forget_the_highest() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    """KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def main() -> None:
    settings = load_settings(Path(sys.argv[2]), {}, {})
    probe = Probe()
    watching = asyncio.create_task(probe.stall.watch())
    async with await asyncio.start_server(probe.tell, "127.0.0.1", int(sys.argv[1])):
        await serve(settings)
    watching.cancel()


if __name__ == "__main__":
    configure_logging("info")
    asyncio.run(main())
