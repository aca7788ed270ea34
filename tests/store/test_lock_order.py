"""Planning locks an incident and then names a run; a worker locks its run and then names the incident."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from remediator.run import Proceed, Run, State
from remediator.store import attempts, episodes, incidents, interventions, runs
from remediator.store.attempts import Attempt
from remediator.store.database import Connection, Database
from tests.support.intents import OWNER, approved, change, intend

Work = Callable[[Connection, Run, Attempt], Awaitable[object]]


async def intends(connection: Connection, run: Run, made: Attempt) -> object:
    return await attempts.commit_intent(connection, run, OWNER, 1, change(run.target, 1), (), None)


async def records(connection: Connection, run: Run, made: Attempt) -> object:
    return await attempts.record_outcome(connection, run, OWNER, made, "applied", "a test says so")


async def moves(connection: Connection, run: Run, made: Attempt) -> object:
    return await runs.transition(connection, run, OWNER, Proceed("done"), State.ACTED, ())


async def cancels(connection: Connection, run: Run, made: Attempt) -> object:
    return await interventions.cancel(connection, run.id, "kim", "we are on it") is State.CANCELLED


async def settles(connection: Connection, run: Run, made: Attempt) -> object:
    await connection.execute("update runs set state = 'UNKNOWN' where id = $1", run.id)
    return await interventions.settle(connection, run.id, True, "kim", "I looked") is None


async def answers(connection: Connection, run: Run, made: Attempt) -> object:
    return await runs.standing(connection, run.id)


@pytest.mark.parametrize("works", [intends, records, moves, cancels, settles, answers])
async def test_planning_on_the_incident_of_a_run_and_work_on_that_run_do_not_wait_for_each_other(
    database: Database, works: Work
) -> None:
    run = await approved(database, "api", changes=2)
    made = await intend(database, run)
    assert isinstance(made, Attempt)
    async with asyncio.timeout(5), database.transaction() as planning:
        episode_id: int = await planning.fetchval(
            """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at)
               values ('alertmanager', 'f', 'Slow', '{}', '{}', remediator_now()) returning id"""
        )
        await incidents.attach(
            planning, subject=str(run.target), title="t", cluster="default", target=run.target, severity=None
        )
        async with database.transaction() as working:
            assert await works(working, run, made)
            await episodes.planned(planning, episode_id, disposition="joined", why="it runs", run_id=run.id)
