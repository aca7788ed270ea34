"""Moves runs along the runbook: lease one, let its stage decide, store the verdict."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from remediator.errors import RemediatorError
from remediator.fault_points import FaultPoint, reach
from remediator.run import ACTIVE, Run, State, Verdict
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk, Stage
from remediator.runbook.hand_over import entry, handed_over
from remediator.runbook.lease import Lease, kept
from remediator.runbook.lifecycle import RUNBOOK, state_after
from remediator.runbook.notices import of_ending, of_unreadable
from remediator.runbook.tries import tries_of
from remediator.runbook.undecided import undecided
from remediator.store import outbox, run_rows, runs
from remediator.store.database import DATABASE_ERRORS
from remediator.store.run_rows import UnreadableRun
from remediator.telemetry import log_context

_log = logging.getLogger(__name__)

_AGAIN_SECONDS = 10.0
_STORED = {State.DIAGNOSED: FaultPoint.J13, State.CLEARED: FaultPoint.J16}
_ANSWERS = (RemediatorError, *DATABASE_ERRORS)
"""What a stage raises when it could not tell. Everything else is a mistake of ours, or an object nobody thought of."""


class Worker:
    """One unit of its work is one transition of one run."""

    def __init__(self, desk: Desk, lease_seconds: float) -> None:
        self._desk = desk
        self._lease_seconds = lease_seconds
        self._stages: Mapping[State, Stage] = {line.state: line.stage(desk) for line in RUNBOOK}

    async def tick(self) -> bool:
        """Move one run; True when there may be more to do at once. Of another cluster's database none is moved."""
        if await self._desk.belonging.against() is not None:
            return False
        clock = self._desk.kit.clock
        asked_at = clock.monotonic()
        async with self._desk.database.connection() as connection:
            run = await runs.take_due(connection, self._desk.owner, self._lease_seconds)
        if run is None:
            return False
        if isinstance(run, UnreadableRun):
            await self._leave_to_people(run)
            return True
        if run.state is State.APPROVED:
            reach(FaultPoint.J20)
        lease = Lease(clock, self._lease_seconds, asked_at)
        with log_context(run=run.id, rule=run.rule.rule, target=str(run.target)):
            async with kept(lease, self._desk.database, run, self._desk.owner, clock):
                await self._move(run, lease)
        return True

    async def _move(self, run: Run, lease: Lease) -> None:
        try:
            decision = self._stages[run.state].decide(run, lease)
            verdict = await call_step(f"stage {run.state}", decision, None, goes_up=_ANSWERS)
        except RemediatorError as reason:
            # The stage could not tell; nothing is decided, and the run comes up again.
            _log.warning("%s could not be decided: %s", run.state, reason.sentence)
            async with self._desk.database.connection() as connection:
                await runs.put_back(connection, run, self._desk.owner, _AGAIN_SECONDS)
            return
        except asyncpg.DataError as reason:
            verdict = Unanswered(why=f"what stage {run.state} saw cannot be stored: {reason}")
        if isinstance(verdict, Unanswered):
            verdict = await undecided(self._desk, run, verdict.why)
        try:
            await self._take(run, verdict)
        except asyncpg.DataError as reason:
            why = f"what stage {run.state} decided cannot be stored: {reason}"
            await self._take(run, await undecided(self._desk, run, why))

    async def _take(self, run: Run, verdict: Verdict) -> None:
        state = state_after(run, verdict)
        if await self._store(run, verdict, state):
            self._desk.metrics.transitions.labels(state).inc()
            _log.info("%s: %s", state, verdict.why)
        else:
            _log.warning("the run moved on without us; what was decided about %s is dropped", run.state)

    async def _leave_to_people(self, run: UnreadableRun) -> None:
        """What cannot be read can neither be gone on with nor left to be taken up again and again."""
        async with self._desk.database.transaction() as connection:
            state = await run_rows.leave_to_people(connection, run, self._desk.owner)
            if state is None:
                return
            if run.mode != "shadow":
                notice = of_unreadable(run, state, self._desk.kit.clock.now())
                await outbox.enqueue(connection, self._desk.channels, notice, run.id)
        self._desk.metrics.transitions.labels(state).inc()
        _log.error("%s: %s", state, run.why)

    async def _store(self, run: Run, verdict: Verdict, state: State) -> bool:
        if state not in ACTIVE:
            tried = ""
            if state is State.ESCALATED:
                async with self._desk.database.connection() as connection:
                    tried = await tries_of(connection, run, verdict.why)
            handovers = await handed_over(self._desk, run, state)
            notice = of_ending(run, state, verdict.why, tried, handovers, self._desk.kit.clock.now())
            entries = (*verdict.entries, *(entry(each) for each in handovers))
            verdict = replace(
                verdict, entries=entries, notices=(*verdict.notices, *((notice,) if notice else ()))
            )
        async with self._desk.database.transaction() as connection:
            stored = await runs.transition(
                connection, run, self._desk.owner, verdict, state, self._desk.channels
            )
            if stored:
                _reach_while_open(verdict, state)
        if stored:
            _reach_when_committed(run, verdict, state)
        return stored


def _reach_while_open(verdict: Verdict, state: State) -> None:
    if verdict.asks is not None:
        reach(FaultPoint.J17)
    if state is State.ESCALATED:
        reach(FaultPoint.J33)
    if state not in ACTIVE:
        reach(FaultPoint.J35)


def _reach_when_committed(run: Run, verdict: Verdict, state: State) -> None:
    if verdict.asks is not None:
        reach(FaultPoint.J18)
    if state is not run.state and state in _STORED:
        reach(_STORED[state])
    if state not in ACTIVE:
        reach(FaultPoint.J36)
    elif run.state is State.ACTED and state is State.ACTED:
        reach(FaultPoint.J31)
