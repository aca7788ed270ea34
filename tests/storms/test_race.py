"""Many connections commit intents at once, while time passes: no window holds more than its budget."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random

import pytest

from remediator.guards.budget import Budget
from remediator.run import Run
from remediator.store.attempts import Attempt
from remediator.store.database import Database, open_database
from tests.storms.windows import Happened, over_budget
from tests.support.clock import DrivenClock
from tests.support.intents import approved, intend, move, outcome

PER = timedelta(minutes=10)
BUDGET = Budget(everywhere=5, in_namespace=2, per=PER, unsettled=4)
RUNS, CONNECTIONS, NAMESPACES = 60, 12, 6


class Race:
    """Runs that all want to act, each from a connection of its own."""

    def __init__(self, databases: list[Database], clock: DrivenClock, random: Random) -> None:
        self._databases = databases
        self._clock = clock
        self._random = random
        self.effects: list[Happened] = []
        self.half_made: list[int] = []

    async def carry_out(self, run: Run, database: Database) -> bool:
        """Try to begin the plan, and finish what was begun; whether it began."""
        assert run.plan is not None
        for index in range(len(run.plan.changes)):
            answer = await intend(database, run, BUDGET, index=index)
            if not isinstance(answer, Attempt):
                if index:
                    self.half_made.append(run.id)
                return False
            await self._a_while()
            self.effects.append(await self._happens(run, database))
            await self._a_while()
            await outcome(database, run, answer)
        await move(database, run, "RESOLVED")
        return True

    async def _a_while(self) -> None:
        """Others get ahead, or time passes."""
        if self._random.random() < 0.2:
            await self._clock.advance(self._random.choice((1, 20, 200)))

    async def _happens(self, run: Run, database: Database) -> Happened:
        async with database.connection() as connection:
            return Happened(await connection.fetchval("select remediator_now()"), run.target.namespace)

    async def of_one_connection(self, waiting: list[Run], database: Database) -> None:
        for _ in range(400):
            if not waiting:
                return
            run = waiting.pop(self._random.randrange(len(waiting)))
            if not await self.carry_out(run, database):
                waiting.append(run)
                if self._random.random() < 0.3:
                    await self._clock.advance(self._random.choice((5, 60)))


@pytest.mark.parametrize("seed", range(2))
async def test_no_window_holds_more_than_its_budget_and_no_plan_stays_half_made(
    database_url: str, database: Database, clock: DrivenClock, seed: int
) -> None:
    random = Random(seed)
    waiting = [
        await approved(
            database, f"a{number}", namespace=f"shop-{number % NAMESPACES}", changes=1 + number % 2
        )
        for number in range(RUNS)
    ]
    async with AsyncExitStack() as opened:
        databases = [await open_database(database_url, size=1) for _ in range(CONNECTIONS)]
        for each in databases:
            opened.push_async_callback(each.close)
        race = Race(databases, clock, random)
        await asyncio.gather(*(race.of_one_connection(waiting, each) for each in databases))
    assert waiting == []
    assert len(race.effects) == RUNS * 3 // 2
    assert race.half_made == []
    assert over_budget(race.effects, PER, BUDGET.everywhere, BUDGET.in_namespace) == []
