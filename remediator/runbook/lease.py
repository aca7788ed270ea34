"""Temporary ownership of a run, kept alive while a stage works and given up early when it cannot be."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remediator.clock import Clock
from remediator.fault_points import FaultPoint, reach, reach_once_sent
from remediator.run import Run
from remediator.store import runs
from remediator.store.database import DATABASE_ERRORS, Database

_log = logging.getLogger(__name__)

_MARGIN = 1 / 3
"""A third of the lease is kept as safety: we stop acting while others still wait for it to run out."""


class Lease:
    """How long we may still act. Measured with the monotonic clock from before the request that granted it."""

    def __init__(self, clock: Clock, seconds: float, granted_at: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._safe_until = granted_at + seconds * (1 - _MARGIN)

    def seconds_left(self) -> float:
        """Seconds in which a write may still be sent and answered; zero or less means stop."""
        return self._safe_until - self._clock.monotonic()

    def extend(self, granted_at: float) -> None:
        """The database confirmed the renewal asked for at `granted_at`."""
        self._safe_until = granted_at + self._seconds * (1 - _MARGIN)

    @property
    def renew_every(self) -> float:
        """Seconds between renewals."""
        return self._seconds / 3


@asynccontextmanager
async def kept(lease: Lease, database: Database, run: Run, owner: str, clock: Clock) -> AsyncIterator[None]:
    """Renew the lease in the background for the length of the block.

    A renewal that fails is only logged: the lease then runs out by itself, and with it every right to act.
    """

    async def renew() -> None:
        while True:
            await asyncio.sleep(lease.renew_every)
            asked_at = clock.monotonic()
            reach_once_sent(FaultPoint.J38)
            try:
                async with database.connection() as connection:
                    if not await runs.renew(connection, run, owner, lease.renew_every * 3):
                        reach(FaultPoint.J40)
                        _log.warning("the lease of run %s is no longer ours", run.id)
                        return
            except DATABASE_ERRORS as reason:
                _log.warning("the lease of run %s could not be renewed: %s", run.id, reason)
                continue
            reach(FaultPoint.J39)
            lease.extend(asked_at)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
