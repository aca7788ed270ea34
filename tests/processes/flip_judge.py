"""Who is late after a pause, judged by what is not ours.

The emulator's log of requests says when a write came, and PostgreSQL's own times of commits say what came before what.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from remediator.domain.target import Target
from tests.processes.flips import Flip
from tests.processes.lanes import Lanes

PROMISED = timedelta(seconds=2)
"""From a pause to the last write that may begin."""


@dataclass(frozen=True)
class Judgement:
    """What a check of all flips found."""

    flips: int
    late: list[str]
    effects: int
    stopped: int
    """Flips that found a run that had already been cleared to write, and kept it from that."""
    slowest_latch: float
    """Seconds from an annotation or a file to the pause of the database, at most."""


async def judged(lanes: Lanes, flips: Sequence[Flip]) -> Judgement:
    """Hold every intent, every sending and every write against every flip."""
    async with lanes.database.connection() as connection:
        intents = await connection.fetch(
            """select pg_xact_commit_timestamp(j.xmin) as at, a.namespace, a.name from journal j
               join attempts a on a.run_id = j.run_id where j.kind = 'intent'"""
        )
        sendings = await connection.fetch(
            "select sent_at as at, namespace, name from attempts where sends > 0"
        )
        stopped = await connection.fetch(
            """select min(at) as at, r.namespace, r.name from journal j join runs r on r.id = j.run_id
               where j.kind = 'held' and j.details->>'from' = 'APPROVED' and j.text like '%pause%'
               group by j.id, r.namespace, r.name"""
        )
    late = [*_late("intent", flips, intents), *_late("sending", flips, sendings)]
    writes = _written(lanes)
    for flip in flips:
        for at, target in writes:
            if flip.began + PROMISED < at < flip.ended and flip.covers(target):
                late.append(f"write {at - flip.began} after {flip}")
    slowest = max(each.latched - each.began for each in flips)
    return Judgement(
        len(flips), late, len(lanes.effects()), _stopped(flips, stopped), slowest.total_seconds()
    )


def _late(what: str, flips: Sequence[Flip], rows: list[asyncpg.Record]) -> Iterator[str]:
    """What came while the database had a pause of it: intents, and the decisions to send one."""
    for row in rows:
        target = Target(cluster="default", kind="deployment", namespace=row["namespace"], name=row["name"])
        for flip in flips:
            if flip.latched < row["at"] < flip.ended and flip.covers(target):
                yield f"{what} {row['at'] - flip.latched} after {flip}"


def _stopped(flips: Sequence[Flip], rows: list[asyncpg.Record]) -> int:
    found = 0
    for flip in flips:
        for row in rows:
            target = Target(
                cluster="default", kind="deployment", namespace=row["namespace"], name=row["name"]
            )
            if flip.began < row["at"] < flip.ended and flip.covers(target):
                found += 1
                break
    return found


def _written(lanes: Lanes) -> list[tuple[datetime, Target]]:
    """Every request of the daemons that changes a workload, claims too, and when it came."""
    found = []
    for each in lanes.emulator.requests:
        if each.method == "PATCH" and each.user == "remediator" and "dryRun" not in each.query:
            _, _, _, _, namespace, kind, name = each.path.strip("/").split("/")
            target = Target(cluster="default", kind=kind.removesuffix("s"), namespace=namespace, name=name)
            found.append((each.at, target))
    return found
