"""A deluge of alerts, a fifth of them twice, over three daemons that are processes: what arrived, and what it cost.

`flood.py` drives the time of daemons in one process; here they are processes, since memory belongs to one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from remediator.clock import SystemClock
from remediator.sandbox.alertmanager_webhook import Alert, Notification, notification
from tests.chaos.fleet import Fleet, fleet
from tests.support.waiting import until

NAMESPACES, TARGETS = 25, 500
_A_POST = 250
_TWICE = 0.2
_AT_ONCE = 6
_SETTINGS = {
    # The stand-in would answer with more than is ever read; who is gone is another loop's story.
    "engine": {"reconcile_every": "1h", "lease": "15s", "tick": "1s", "memory_every": "15s"}
}
_STORED = "select count(*) from notices where labels->>'alertname' = 'Hung'"
_DISPOSED = "select count(*) from episodes where alertname = 'Hung' and disposition is not null"


@dataclass(frozen=True)
class Deluge:
    """What became of it."""

    posted: int
    acknowledged: int
    stored: int
    disposed: int
    mebibytes: int
    """The most that any of the three had resident, ever."""
    seconds: float


async def deluge(directory: Path, database_url: str, alerts: int, seed: int, *, patience: float) -> Deluge:
    """Post them to whichever daemon, and wait until something is decided about each, `patience` seconds at most."""
    random = Random(seed)
    async with fleet(directory, database_url, seed, _SETTINGS) as world:
        began = SystemClock().monotonic()
        targets = world.furnish(NAMESPACES, TARGETS)
        due = list(_messages(targets, alerts, random))
        await _post(world, due)
        connection = await asyncpg.connect(database_url)
        try:

            async def all_disposed() -> bool:
                return bool(await connection.fetchval(_DISPOSED) == alerts)

            await until(all_disposed, "something is decided about every alert", seconds=patience, every=0.5)
            stored, disposed = await connection.fetchval(_STORED), await connection.fetchval(_DISPOSED)
        finally:
            await connection.close()
        return Deluge(
            posted=sum(len(each.alerts) for each in due),
            acknowledged=len({each.fingerprint for each in world.acknowledged}),
            stored=stored,
            disposed=disposed,
            mebibytes=max(each.peak_mebibytes() for each in world.replicas),
            seconds=SystemClock().monotonic() - began,
        )


def _messages(targets: Sequence[dict[str, str]], alerts: int, random: Random) -> Iterator[Notification]:
    now = SystemClock().now()
    every: list[Any] = [
        Alert(
            {**targets[number % len(targets)], "code": str(number)},
            {"summary": "Hung", "description": "It answers nothing any more."},
            starts_at=now,
        )
        for number in range(alerts)
    ]
    every += random.sample(every, int(alerts * _TWICE))
    random.shuffle(every)
    for start in range(0, len(every), _A_POST):
        yield notification(every[start : start + _A_POST], receiver="remediator", group_by=["alertname"])


async def _post(world: Fleet, due: Sequence[Notification]) -> None:
    """Several posts at a time, as several Alertmanagers would."""
    waiting = list(due)

    async def post() -> None:
        while waiting:
            await world.post([waiting.pop()])

    await asyncio.gather(*(post() for _ in range(_AT_ONCE)))
