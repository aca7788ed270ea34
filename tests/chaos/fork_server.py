"""Tells stories in which daemons are killed: prepares one cluster and one database, and forks both for each story.

    python -m tests.chaos.fork_server DSN [KILLS] < tasks > results

`tasks` are JSON lines of Task, `results` JSON lines of Result in any order. No more stories are begun when there
were so many kills. Two are told at a time. What is made on the server at DSN is dropped again.
"""

import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from remediator.sandbox.kubernetes import Emulator
from remediator.store.database import open_database
from remediator.store.migrate import migrate
from tests.chaos.checks import violations
from tests.chaos.history import Expected, version
from tests.chaos.incarnation import Child, fork
from tests.chaos.stories import RULES, STORIES
from tests.chaos.world import ClusterClock, World
from tests.support.clock import DRIVEN_NOW
from tests.support.story import told

LANES = 2
_TEMPLATE = f"chaos_{os.getpid()}"
_SOAK = 6 * 60.0
_A_PIPE = 60_000
"""Bytes that one holds although nobody reads yet."""


@dataclass(frozen=True)
class Task:
    """One story, and what each daemon in it but the last is killed by (see fault_points)."""

    story: str
    faults: tuple[str, ...]
    seed: int

    @property
    def pair(self) -> tuple[str, str]:
        """The points of its first two faults."""
        return point_of(self.faults[0]), point_of(self.faults[1])


@dataclass(frozen=True)
class Result:
    """What came of it."""

    task: Task
    fired: tuple[bool, ...] = ()
    """Of each fault whether it killed; those at the end that were never waited for are left out."""
    violations: tuple[str, ...] = ()
    reached: dict[str, int] = field(default_factory=dict)
    """How often the daemons that were not killed reached each point."""

    @property
    def killed_at(self) -> list[str]:
        """The points at which a daemon was killed."""
        return [point_of(fault) for fault, fired in zip(self.task.faults, self.fired, strict=False) if fired]

    @property
    def invalid(self) -> list[str]:
        """The points of faults that did not come."""
        came = (*self.fired, *[False] * len(self.task.faults))
        return [point_of(fault) for fault, fired in zip(self.task.faults, came, strict=False) if not fired]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Points of which the second killed the daemon that recovered from the first."""
        both = zip(self.task.faults, self.task.faults[1:], self.fired, self.fired[1:], strict=False)
        return [(point_of(first), point_of(second)) for first, second, one, two in both if one and two]


def point_of(fault: str) -> str:
    """The point of a fault as the environment would say it."""
    return fault.partition(":")[0]


@dataclass(frozen=True)
class Prepared:
    """A cluster with a bad release of four minutes ago, not served at the moment, and its database's name."""

    emulator: Emulator
    clock: ClusterClock
    good: frozenset[str]


async def prepare(dsn: str, directory: Path) -> Prepared:
    """Make the cluster, and its database as a template."""
    await _admin(dsn, f"drop database if exists {_TEMPLATE} with (force)", f"create database {_TEMPLATE}")
    url = _of(dsn, _TEMPLATE)
    await migrate(url)
    await _admin(url, DRIVEN_NOW)
    database = await open_database(url, size=2)
    clock = ClusterClock(database)
    async with told(directory, url, clock, rules=RULES) as story:
        await story.create("app:v1")
        await story.let(_SOAK, step=30)
        before = story.emulator.get("deployments", "shop", "api")
        story.release("app:v2")
        await story.let(4 * 60, step=30)
    await database.close()
    clock.belongs_to(None)
    return Prepared(story.emulator, clock, frozenset({version(before)}))


def tell(prepared: Prepared, dsn: str, task: Task) -> Result:
    """Tell one story, in a process of its own that has the prepared cluster."""
    children = fork(len(task.faults) + 1)
    directory = Path(tempfile.mkdtemp(prefix="remediator-chaos-"))
    name = f"{_TEMPLATE}_{os.getpid()}"
    try:
        return asyncio.run(_told(prepared, dsn, name, task, directory, children))
    finally:
        for each in children:
            each.end()
        shutil.rmtree(directory)


async def _told(
    prepared: Prepared, dsn: str, name: str, task: Task, directory: Path, children: Sequence[Child]
) -> Result:
    await _admin(dsn, f"create database {name} template {_TEMPLATE} strategy file_copy")
    story, rng = STORIES[task.story], random.Random(task.seed)
    try:
        world = World(directory, _of(dsn, name), prepared.emulator, prepared.clock, children, task.faults)
        async with world:
            await story.told(world, rng)
            expected = Expected(
                faults_ended_at=world.faults_ended_at,
                good=prepared.good,
                floors={"deployment/shop/api": 2},
            )
            history = await world.history(expected)
            found = violations(history) + world.failures
            wrong = await story.ended_as_it_should(world, len(history.effects))
        found += [wrong] if wrong else []
        return Result(task, tuple(world.fired), tuple(found), dict(world.reached))
    finally:
        for each in children:
            each.end()
        await _admin(dsn, f"drop database {name} with (force)")


def serve(dsn: str, tasks: Sequence[Task], enough: int) -> Iterator[Result]:
    """Prepare once, and tell all of them, or as many as make enough kills."""
    kills = 0
    with tempfile.TemporaryDirectory() as directory:
        prepared = asyncio.run(prepare(dsn, Path(directory)))
    try:
        left, telling = list(reversed(tasks)), dict[int, tuple[Task, int]]()
        while left or telling:
            while left and len(telling) < LANES and kills < enough:
                task = left.pop()
                reading, writing = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(reading)
                    _tell_and_exit(prepared, dsn, task, writing)
                os.close(writing)
                telling[pid] = (task, reading)
            pid, _ = os.wait()
            if pid in telling:
                task, reading = telling.pop(pid)
                with os.fdopen(reading, "rb") as answer:
                    result = _result(task, answer.read())
                kills += sum(result.fired)
                if kills >= enough:
                    left.clear()
                yield result
    finally:
        asyncio.run(_admin(dsn, f"drop database {_TEMPLATE} with (force)"))


def _tell_and_exit(prepared: Prepared, dsn: str, task: Task, writing: int) -> None:
    said = ""
    try:
        said = json.dumps(asdict(tell(prepared, dsn, task)))
    finally:
        os.write(writing, (said or traceback.format_exc()).encode()[:_A_PIPE])
        os._exit(0)


def _result(task: Task, said: bytes) -> Result:
    if not said.startswith(b"{") or len(said) == _A_PIPE:
        why = said.decode() or "the process that told the story died"
        return Result(task, violations=(why,))
    found: dict[str, Any] = json.loads(said)
    return Result(task, tuple(found["fired"]), tuple(found["violations"]), found["reached"])


async def _admin(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=30, command_timeout=60)
    try:
        for each in statements:
            await connection.execute(each)
    finally:
        await connection.close()


def _of(dsn: str, name: str) -> str:
    """The address of another database of the same server."""
    before, _, options = dsn.partition("?")
    head, _, _ = before.rpartition("/")
    return f"{head}/{name}{'?' if options else ''}{options}"


def main() -> None:
    # Reading the machine's certificates takes longer than all else a daemon does to begin; nothing here is TLS.
    os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull
    tasks = [Task(each["story"], tuple(each["faults"]), each["seed"]) for each in map(json.loads, sys.stdin)]
    enough = int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize
    for result in serve(sys.argv[1], tasks, enough):
        print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
