"""`proof replicas`: three daemons as processes on one database, whatever befalls each of them.

A schedule is a seed: alerts for fresh targets, and at the same time kills, stops past the lease, lost, one-way and
silent connections, clocks that jump. When its faults have ended, every acknowledged alert has to be disposed within a
minute; when all are over, history and checks decide.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from remediator.clock import SystemClock
from tests.chaos.checks import violations
from tests.chaos.fleet import LEASE_SECONDS, Fleet, Replica, fleet
from tests.chaos.history import Expected, History, Run
from tests.chaos.postgres_wire import Trap
from tests.chaos.reading import read
from tests.chaos.schedules import schedule, strike
from tests.support.databases import Databases
from tests.support.proof_lines import Prove
from tests.support.waiting import until

SEED = 20_261_127
SCHEDULES = 200 if os.environ.get("REMEDIATOR_CHAOS") == "full" else 30
_ALERTS = 3
_MANY = 1_000
_MOST_SENDS = 2
"""So often a change is sent before people are asked to take over."""
_MOST_GIVEN_UP = 0.05
"""Of the alerts: a fault long enough to take both sends is rare, and giving up may not become the usual answer."""
_MOST_INVALID = 0.2
_LIVELY_SECONDS = 60
_OTHERS_WAIT_SECONDS = LEASE_SECONDS + 5.0
_SETTINGS = {
    "budgets": {"everywhere": _MANY, "in_namespace": _MANY, "unsettled": _MANY},
    "storm": {"in_namespace": _MANY, "anywhere": _MANY},
    # No alert is ever resolved here: after ten minutes each would rightly be acted on again.
    "engine": {"settle": "24h"},
}
_UNDISPOSED = """select 'notice ' || fingerprint as what from notices where read_at is null
                 union all select 'episode ' || id from episodes where closed_at is null and disposition is null"""
_ACTIVE = "select 'run ' || id || ' is ' || state || ': ' || coalesce(why, '') as what from runs where ended_at is null"

_UNDELIVERED = (
    "select 'notice ' || key as what from outbox where delivered_at is null and given_up_at is null"
)


@dataclass
class Tally:
    """What the schedules did."""

    fired: int = 0
    others_waited: float = 0.0
    gave_up: int = 0
    """Runs that people were asked to take over, because a fault took both their sends."""
    invalid: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@dataclass
class Proof:
    """One fleet, its database, and what was found."""

    fleet: Fleet
    database_url: str
    alerts: list[dict[str, str]]
    targets: set[str] = field(default_factory=set)
    """Of the alerts that have fired."""
    tally: Tally = field(default_factory=Tally)

    async def live(self, seed: int) -> None:
        """One schedule, from its first alert until all of them are disposed."""
        blows = schedule(seed)
        posting = asyncio.create_task(self._post(self._fire(_ALERTS), Random(seed)))
        hit = await asyncio.gather(*(strike(self.fleet, each) for each in blows))
        told = f"seed {seed}: {'; '.join(str(each) for each in blows)}"
        if all(hit):
            self.tally.fired += 1
        else:
            self.tally.invalid.append(told)
        await posting
        await self._none_of(_UNDISPOSED, told)
        await asyncio.gather(*(each.ready(self.fleet.session) for each in self.fleet.replicas))

    def _fire(self, alerts: int) -> list[dict[str, str]]:
        some, self.alerts = self.alerts[:alerts], self.alerts[alerts:]
        for each in some:
            self.fleet.alertmanager.fire(each)
            self.targets.add(f"deployment/{each['namespace']}/{each['deployment']}")
        return some

    async def _post(self, some: Sequence[dict[str, str]], random: Random) -> None:
        """Each alert on its own, some of them twice, spread over the time of the blows."""
        names = {each["deployment"] for each in some}
        for due in self.fleet.alertmanager.notifications():
            if names & {each.labels.get("deployment") for each in due.alerts}:
                for _ in range(random.choice((1, 1, 2))):
                    await asyncio.sleep(random.uniform(0, 0.4))
                    await self.fleet.post([due])

    async def _none_of(self, query: str, told: str) -> None:
        """A violation when there is still something after a minute."""
        left: list[str] = []

        async def none() -> bool:
            left[:] = [row["what"] for row in await self._rows(query)]
            return not left

        try:
            await until(none, "nothing is left", seconds=_LIVELY_SECONDS, every=0.1)
        except AssertionError:
            self.tally.violations += [
                f"{each}, {_LIVELY_SECONDS} s after the faults ({told})" for each in left
            ]

    async def _rows(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.database_url)
        try:
            rows: list[Any] = await connection.fetch(query)
            return rows
        finally:
            await connection.close()

    async def a_stopped_holder(self) -> None:
        """A replica is stopped while its transaction holds a run's row: how long until another takes the run?"""
        stopped: list[tuple[Replica, float]] = []

        async def stop(replica: Replica) -> None:
            if not stopped:
                stopped.append((replica, SystemClock().monotonic()))
                replica.send(signal.SIGSTOP)

        for replica in self.fleet.replicas:
            assert replica.postgres.statements is not None
            # It has locked the row two statements before.
            replica.postgres.statements.trap = Trap(
                1, "goes on", text="hold_why = $4", then=partial(stop, replica)
            )
        [alert] = self._fire(1)
        await self._post([alert], Random(SEED))
        newest = f"select epoch from runs where name = '{alert['deployment']}'"

        async def epoch() -> int:
            return max((row["epoch"] for row in await self._rows(newest)), default=0)

        async def is_stopped() -> bool:
            return bool(stopped)

        await until(is_stopped, "a replica was stopped in a transaction", seconds=30, every=0.02)
        its, (replica, at) = await epoch(), stopped[0]

        async def is_taken() -> bool:
            return await epoch() > its

        await until(is_taken, "another replica has taken the run", seconds=60, every=0.05)
        self.tally.others_waited = SystemClock().monotonic() - at
        replica.send(signal.SIGCONT)

    async def judge(self) -> None:
        """Everything ends, and then the checks say what they think of it."""
        ended_at = SystemClock().now()
        for query in (_UNDISPOSED, _ACTIVE, _UNDELIVERED):
            await self._none_of(query, "at the end")
        expected = Expected(
            faults_ended_at=ended_at,
            everywhere=_MANY,
            in_namespace=_MANY,
            lively_within=SystemClock().now() - ended_at,
        )
        connection = await asyncpg.connect(self.database_url)
        try:
            history = await read(connection, self.fleet.emulator.effects, self.fleet.acknowledged, expected)
        finally:
            await connection.close()
        self.tally.violations += violations(history)
        without = self.targets - {run.target for run in history.runs}
        self.tally.violations += [f"the alert of {each} has no run" for each in sorted(without)]
        for run in history.runs:
            if _gave_up(run, history):
                self.tally.gave_up += 1
            elif wrong := _wrong(run, history, await self._why(run.id)):
                self.tally.violations.append(wrong)

    async def _why(self, run_id: int) -> str:
        [row] = await self._rows(f"select coalesce(why, '') as why from runs where id = {run_id}")
        return str(row["why"])


def _gave_up(run: Run, history: History) -> bool:
    """Whether both sends were lost, which a claim after them has made certain."""
    sends = [
        each.sends for each in history.attempts if each.run_id == run.id and each.outcome == "not_applied"
    ]
    return run.state == "ESCALATED" and not _effects(run, history) and sends == [_MOST_SENDS]


def _wrong(run: Run, history: History, why: str) -> str | None:
    """What may not be how a run ended that nothing but faults stood in the way of."""
    effects = _effects(run, history)
    if (run.state, effects) == ("RESOLVED", 1):
        return None
    return f"run {run.id} on {run.target} is {run.state} with {effects} effects: {why}"


def _effects(run: Run, history: History) -> int:
    return sum(each.target == run.target for each in history.effects)


async def _prove(directory: Path, database_url: str) -> Tally:
    async with fleet(directory, database_url, SEED, _SETTINGS) as world:
        alerts = world.furnish(6, SCHEDULES * _ALERTS * 2 + 1)
        proof = Proof(world, database_url, alerts)
        await proof.a_stopped_holder()
        seed = SEED
        while proof.tally.fired < SCHEDULES and len(proof.tally.invalid) <= _MOST_INVALID * SCHEDULES:
            await proof.live(seed)
            seed += 1
        await proof.judge()
        return proof.tally


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_proof_replicas(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("real") as url:
        tally = asyncio.run(_prove(tmp_path, url))
    proof(
        "replicas",
        schedules=tally.fired,
        violations=len(tally.violations),
        invalid=len(tally.invalid),
        gave_up=tally.gave_up,
        others_waited=f"{tally.others_waited:.1f}s",
    )
    for sentence in tally.invalid:
        print(f"a fault did not hit anything: {sentence}")
    assert tally.violations == []
    assert tally.fired >= SCHEDULES
    assert tally.gave_up <= _MOST_GIVEN_UP * SCHEDULES * _ALERTS
    assert tally.others_waited <= _OTHERS_WAIT_SECONDS
