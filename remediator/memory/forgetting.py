"""Keeps the database from growing for ever: lets go of what is over and older than the settings say."""

import logging
from collections.abc import Awaitable, Callable

from remediator.fault_points import FaultPoint, reach
from remediator.settings.sections import Retention
from remediator.store import loop_leases, retention
from remediator.store.database import DATABASE_ERRORS, Connection, Database

_log = logging.getLogger(__name__)

EVERY_SECONDS = 600.0
_LEASE_SECONDS = 60.0
_AT_ONCE = 500
"""A batch is one short transaction; more would keep rows locked, and others waiting, for longer."""

Forget = Callable[[Connection, Retention, int], Awaitable[int]]
_KINDS: tuple[Forget, ...] = (
    retention.forget_received,
    retention.forget_incidents,
    retention.forget_seen,
)


class Forgetting:
    """One unit of its work is one batch of each kind; one replica at a time does it."""

    def __init__(self, database: Database, kept: Retention, owner: str) -> None:
        self._database = database
        self._kept = kept
        self._owner = owner

    async def tick(self) -> bool:
        """Let go once; True when there is more. Raises one of DATABASE_ERRORS after every kind had its turn."""
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "retention", self._owner, _LEASE_SECONDS):
                return False
        more = False
        failed: Exception | None = None
        for forget in _KINDS:
            try:
                gone = await self._let_go(forget)
            except DATABASE_ERRORS as reason:
                failed = failed or reason  # one kind that cannot be let go of keeps none of the others
                continue
            more = more or gone >= _AT_ONCE
        if failed is not None:
            raise failed
        return more

    async def _let_go(self, forget: Forget) -> int:
        async with self._database.transaction() as connection:
            gone = await forget(connection, self._kept, _AT_ONCE)
            reach(FaultPoint.J37)
        if gone:
            _log.info("%s: %d", forget.__name__.replace("_", " "), gone)
        return gone
