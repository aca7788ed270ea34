"""The database's time, told by every replica alike."""

from datetime import datetime, timedelta
from typing import Self

from remediator.clock import Clock
from remediator.store.database import Database


class DatabaseClock:
    """A Clock whose `now` is `remediator_now()`, so that no decision depends on the wall clock of a machine.

    What runs and alerts carry was stamped by the database; a replica whose own clock is an hour or ten years wrong
    would find them too old, or their windows over. Between two looks the machine's monotonic clock measures.
    """

    def __init__(self, database: Database, machine: Clock, told: datetime, told_at: float) -> None:
        self._database = database
        self._machine = machine
        self._told = told
        self._told_at = told_at

    @classmethod
    async def told(cls, database: Database, machine: Clock) -> Self:
        """One that has asked once. Raises one of DATABASE_ERRORS."""
        return cls(database, machine, *await _ask(database, machine))

    async def tick(self) -> bool:
        """Ask the database; there is never more to do at once. Raises one of DATABASE_ERRORS."""
        self._told, self._told_at = await _ask(self._database, self._machine)
        return False

    def now(self) -> datetime:
        """What the database would say, as far as the machine's monotonic clock tells."""
        return self._told + timedelta(seconds=self._machine.monotonic() - self._told_at)

    def monotonic(self) -> float:
        """The machine's: deadlines and leases are measured with it."""
        return self._machine.monotonic()


async def _ask(database: Database, machine: Clock) -> tuple[datetime, float]:
    """What the database's time was, and the monotonic moment halfway between question and answer."""
    async with database.connection() as connection:
        asked_at = machine.monotonic()
        told: datetime = await connection.fetchval("select remediator_now()")
    return told, (asked_at + machine.monotonic()) / 2
