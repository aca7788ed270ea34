"""A person and a worker at the same run at the same moment: one of them comes first, wholly."""

import asyncio
from functools import partial

import pytest

from remediator.domain.change import TemplatePatch
from remediator.domain.run_view import TriggerPerson
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.run import Proceed, Run, State
from remediator.store import attempts, incidents, interventions, runs
from remediator.store.attempts import Attempt, LeaseLost, Outcome
from remediator.store.database import Database
from tests.support.clock import START
from tests.support.waiting import until

TARGET = Target(cluster="c", kind="deployment", namespace="shop", name="api")
CHANGE = TemplatePatch(
    action="restart",
    target=TARGET,
    uid="uid-1",
    from_template={"spec": {"containers": []}},
    to_template={"spec": {"containers": [{"name": "app"}]}},
    from_title="a",
    to_title="b",
    summary="restart",
)
WORKER = "worker-1"


@pytest.fixture
async def taken(database: Database) -> Run:
    """A run that a worker has under its lease."""
    async with database.transaction() as connection:
        incident_id, _ = await incidents.attach(
            connection, subject="s", title="t", cluster="c", target=TARGET, severity=None
        )
        await runs.create(
            connection,
            incident_id=incident_id,
            rule=Rule(rule="hung", match=('{alertname="Hung"}',), mode="act"),
            mode="act",
            target=TARGET,
            trigger=TriggerPerson(who="kim", why="it hangs", at=START),
            depends_on=(),
        )
    async with database.connection() as connection:
        run = await runs.take_due(connection, WORKER, 15)
    assert isinstance(run, Run)
    return run


async def cancel(database: Database, run: Run) -> interventions.NotMoved | State:
    async with database.transaction() as connection:
        return await interventions.cancel(connection, run.id, "kim", "we are on it")


async def state(database: Database, run: Run) -> State:
    async with database.connection() as connection:
        found = await runs.find(connection, run.id)
    assert found is not None
    return found.state


async def test_a_worker_that_holds_a_cancelled_run_can_intend_and_store_nothing(
    database: Database, taken: Run
) -> None:
    assert await cancel(database, taken) is State.CANCELLED
    async with database.transaction() as connection:
        intended = await attempts.commit_intent(connection, taken, WORKER, 0, CHANGE, (), None)
        stored = await runs.transition(connection, taken, WORKER, Proceed("looked"), State.DIAGNOSED, ())
        renewed = await runs.renew(connection, taken, WORKER, 15)
    assert isinstance(intended, LeaseLost)
    assert (stored, renewed) == (False, False)
    async with database.connection() as connection:
        after = await runs.find(connection, taken.id)
    assert after is not None
    assert (after.state, after.epoch > taken.epoch) == (State.CANCELLED, True)


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [("applied", State.ESCALATED), ("superseded", State.ESCALATED), ("not_applied", State.CANCELLED)],
)
async def test_a_cancelled_run_that_changed_something_on_an_earlier_rung_is_not_called_cancelled(
    database: Database, taken: Run, outcome: Outcome, ends: State
) -> None:
    async with database.transaction() as connection:
        intended = await attempts.commit_intent(connection, taken, WORKER, 0, CHANGE, (), None)
        assert isinstance(intended, Attempt)
        assert await attempts.record_outcome(connection, taken, WORKER, intended, outcome, "seen")
        await connection.execute("update runs set rung = 1, state = 'PLANNED' where id = $1", taken.id)
    assert await cancel(database, taken) is ends
    assert await state(database, taken) is ends


async def test_who_cancels_while_a_change_is_about_to_be_sent_waits_and_then_sees_it(
    database: Database, taken: Run
) -> None:
    async with database.transaction() as connection:
        intended = await attempts.commit_intent(connection, taken, WORKER, 0, CHANGE, (), None)
        assert isinstance(intended, Attempt)
    async with database.transaction() as connection:
        assert await attempts.sending(connection, taken, WORKER, intended, ()) == ()
        cancelling = asyncio.create_task(cancel(database, taken))
        await until(partial(waits_for_the_gate, database), "somebody waits for the gate", every=0.01)
    refused = await cancelling
    assert refused == interventions.NotMoved(state=State.PLANNED, changing=True)
    assert await state(database, taken) is State.PLANNED


async def test_an_intent_that_waits_for_who_cancels_finds_the_run_gone(
    database: Database, taken: Run
) -> None:
    async def intend() -> object:
        async with database.transaction() as connection:
            return await attempts.commit_intent(connection, taken, WORKER, 0, CHANGE, (), None)

    async with database.transaction() as connection:
        assert await interventions.cancel(connection, taken.id, "kim", "we are on it") is State.CANCELLED
        intending = asyncio.create_task(intend())
        await until(partial(waits_for_the_gate, database), "somebody waits for the gate", every=0.01)
    assert isinstance(await intending, LeaseLost)


async def waits_for_the_gate(database: Database) -> bool:
    """Whether somebody waits for the row that orders intents and people's words."""
    async with database.connection() as connection:
        waiting = await connection.fetchval(
            """select count(*) from pg_stat_activity
               where datname = current_database() and wait_event_type = 'Lock' and query like '%intent_gate%'"""
        )
    return bool(waiting)
