"""A daemon process with the probe beside it, and the four things no input may do to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from remediator.sandbox.ports import reserved_port
from tests.processes.daemons import Daemon, Scene, scene

LONGEST_STALL = 0.25
"""Seconds in which the event loop may stand still."""
MOST_MEMORY = 64
"""MiB that one input may take."""


@dataclass
class Probed:
    """What the proof speaks to."""

    scene: Scene
    daemon: Daemon
    probe_port: int
    database: "asyncpg.Connection[asyncpg.Record]"
    violations: list[str] = field(default_factory=list)
    worst_stall: float = 0.0

    @property
    def port(self) -> int:
        return int(self.daemon.url.rpartition(":")[2])

    def wrong(self, case: str, what: str) -> None:
        """Something that may not be."""
        self.violations.append(f"{case}: {what}")

    async def seen(self) -> dict[str, Any]:
        """What the probe saw since this was last asked."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.probe_port)
        told = await reader.read()
        writer.close()
        found: dict[str, Any] = json.loads(told)
        return found

    async def judge(self, case: str, most_memory: int = MOST_MEMORY) -> None:
        """It lives, its loop went on, it took no more memory than that, and it changed nothing."""
        if self.daemon.process.poll() is not None:
            self.wrong(case, f"the daemon is gone: {self.daemon.log.read_text()[-500:]}")
            return
        told = await self.seen()
        self.worst_stall = max(self.worst_stall, told["stall"])
        if told["stall"] > LONGEST_STALL:
            self.wrong(case, f"the event loop stood still for {told['stall'] * 1000:.0f} ms")
        if told["grown"] > most_memory * 1024:
            self.wrong(case, f"memory grew by {told['grown'] // 1024} MiB")
        if self.scene.effects():
            self.wrong(case, f"something was changed: {self.scene.effects()}")

    async def counts(self) -> dict[str, int]:
        """Rows that inputs may make."""
        row = await self.database.fetchrow(
            """select (select count(*) from notices) as notices, (select count(*) from quarantine) as quarantine,
                      (select count(*) from attempts) as attempts"""
        )
        assert row is not None
        return dict(row)


@asynccontextmanager
async def probed(directory: Path, database_url: str, rules: str) -> AsyncIterator[Probed]:
    """A daemon in mode act over a namespace with the healthy Deployments it could change."""
    with reserved_port() as probe_port:
        async with scene(directory, database_url) as made:
            (directory / "rules.yaml").write_text(rules)
            with made.daemon(program=("-m", "tests.hostile.probed_daemon", str(probe_port))) as daemon:
                await daemon.ready()
                await made.soaked()
                database = await asyncpg.connect(database_url)
                try:
                    ready = Probed(made, daemon, probe_port, database)
                    await ready.seen()  # what the start took is nobody's input
                    yield ready
                finally:
                    await database.close()
