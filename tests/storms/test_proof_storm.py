"""`proof storm`: whatever comes, and to whichever of three daemons, no window holds more effects than its budget.

In each seed a few targets fire, and are cured as the budgets allow. Then, in 20 seeds, everything fires at
once: 10 alerts on each of 1,000 targets, out of order, some of them twice, and nothing is changed any more. In
four more the storm guard is set so high that the budgets alone hold back. The judge is the emulator's own log.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from remediator.store import storms
from tests.storms.flood import Flood, Target, cluster, flood
from tests.storms.windows import Happened, over_budget
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

STORM_SEEDS = 20
SEEDS = STORM_SEEDS + 4
TARGETS = 1_000
PER_NAMESPACE = 40
ALERTS_A_TARGET = 10
PER = timedelta(minutes=10)
EVERYWHERE, IN_NAMESPACE = 5, 2
NO_STORM = {"in_namespace": 100_000, "anywhere": 100_000}


@dataclass
class Tally:
    """What all seeds together did."""

    alerts: int = 0
    effects: int = 0
    over: list[str] = field(default_factory=list)

    def judge(self, seed: int, effects: list[Happened], posted: int) -> None:
        assert effects, f"seed {seed} is invalid: nothing was changed, so it proves nothing"
        self.alerts += posted
        self.effects += len(effects)
        self.over += [f"seed {seed}: {each}" for each in over_budget(effects, PER, EVERYWHERE, IN_NAMESPACE)]


async def a_storm(told: Flood, first: list[Target], since: int) -> None:
    """Some are cured; then everything fires, and nothing is changed until long after."""
    hung = [each.alert(alertname="Hung") for each in first]
    await told.fire(hung)
    await told.work()
    before = len(told.cluster.effects(since))
    everything = [each.alert(number) for each in told.cluster.targets for number in range(ALERTS_A_TARGET)]
    await told.fire(everything)
    await told.work()
    await told.let(61)  # what a busy database refused is taken up again after a minute
    async with told.daemons[0].database.connection() as connection:
        assert await storms.everywhere(connection) is not None
        waiting = await connection.fetchval(
            "select count(*) from episodes where closed_at is null and disposition is null"
        )
        notices = await connection.fetchval("select count(*) from storms where told_at is not null")
    assert (waiting, notices) == (0, 1), "what was not planned, or the one notice"
    await told.resolve(*hung)
    await told.let(told.random.randrange(60, 400))
    assert len(told.cluster.effects(since)) == before, "something was changed in a storm"


async def a_crowd(told: Flood, crowd: list[Target], since: int) -> None:
    """So many fire that budgets hold most of them back, for more than two windows."""
    await told.fire([each.alert(number) for each in crowd for number in range(2)])
    await told.work()
    passed, over = 0.0, set[Target]()
    while passed < 1.6 * PER.total_seconds():
        for target in told.cluster.acted_on(since) - over:
            if told.random.random() < 0.8:
                over.add(target)
                await told.resolve(*(target.alert(number) for number in range(2)))
        seconds = told.random.choice((20, 60, 61, 120, 181))
        passed += seconds
        await told.let(seconds)
    assert len(told.cluster.effects(since)) > EVERYWHERE, "the budget was never full"


class Fresh:
    """Targets that no seed has touched: a database that is new knows nothing of what others did to them."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._by_namespace: dict[str, list[Target]] = defaultdict(list)
        for each in targets:
            self._by_namespace[each.namespace].append(each)

    def take(self, namespaces: int, of_each: int, random: Random) -> list[Target]:
        chosen = random.sample(sorted(self._by_namespace), namespaces)
        return [self._by_namespace[name].pop() for name in chosen for _ in range(of_each)]


async def prove(tmp_path: Path, urls: Sequence[str], targets: int = TARGETS) -> Tally:
    """One seed for each database."""
    tally = Tally()
    async with cluster(targets, targets // PER_NAMESPACE) as world:
        fresh = Fresh(world.targets)
        for seed, url in enumerate(urls):
            (tmp_path / str(seed)).mkdir()
            storm = seed % SEEDS < STORM_SEEDS
            settings: dict[str, Any] = {"engine": {"hold": "4m"}, **({} if storm else {"storm": NO_STORM})}
            since = len(world.emulator.effects)
            async with flood(tmp_path / str(seed), world, url, seed, settings) as told:
                some = fresh.take(3, 1, told.random) if storm else fresh.take(3, 3, told.random)
                await (a_storm if storm else a_crowd)(told, some, since)
            tally.judge(seed, world.effects(since), told.posted)
            world.clock.nobodys()
            await world.clock.advance(3600)
            await world.emulator.catch_up()
    return tally


@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_proof_storm(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with ExitStack() as clones:
        urls = [clones.enter_context(databases.clone("driven")) for _ in range(SEEDS)]
        tally = asyncio.run(prove(tmp_path, urls))
    proof("storm", seeds=SEEDS, alerts=tally.alerts, effects=tally.effects, over_budget=len(tally.over))
    assert tally.over == []
