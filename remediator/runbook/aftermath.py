"""Looks after what was changed until its target has settled, and tells when somebody undoes it."""

import logging
from datetime import timedelta

from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk
from remediator.runbook.notices import of_undoing
from remediator.store import attempts, journal, loop_leases, outbox, runs
from remediator.store.attempts import Attempt
from remediator.store.database import DATABASE_ERRORS

_log = logging.getLogger(__name__)

_LEASE_SECONDS = 60.0


class Aftermath:
    """One unit of its work is one look at every change whose run ended well a short while ago.

    It changes nothing: a version that comes back is what people have to know, not a reason to act again.
    """

    def __init__(self, desk: Desk, settle: timedelta) -> None:
        self._desk = desk
        self._settle = settle.total_seconds()

    async def tick(self) -> bool:
        """Look once; never finds more to do at once."""
        async with self._desk.database.connection() as connection:
            if not await loop_leases.hold(connection, "aftermath", self._desk.owner, _LEASE_SECONDS):
                return False
            settling = await attempts.settling(connection, self._settle)
        for attempt in settling:
            looked = await call_step(
                f"the look after {attempt.marker}", self._look(attempt), None, goes_up=DATABASE_ERRORS
            )
            if isinstance(looked, Unanswered):
                _log.warning("whether it is still there cannot be told: %s", looked.why)
        return False

    async def _look(self, attempt: Attempt) -> None:
        why = await self._desk.effects.undone(attempt.change)
        if why is None:
            return
        async with self._desk.database.transaction() as connection:
            run = await runs.find(connection, attempt.run_id)
            if run is None:
                return
            details = {"attempt": attempt.marker}
            await journal.append(
                connection, attempts.UNDONE, why, details, incident_id=run.incident_id, run_id=run.id
            )
            notice = of_undoing(run, attempt.marker, why, self._desk.kit.clock.now())
            await outbox.enqueue(connection, self._desk.channels, notice, run.id)
