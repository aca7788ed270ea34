"""Time that only its driver moves, the same in the program and in its database."""

from datetime import UTC, datetime, timedelta

from remediator.store.database import Database

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""Where time begins unless somebody says otherwise: a Monday, at noon."""

DRIVEN_NOW = f"""
create table test_clock (at timestamptz not null);
insert into test_clock values ('{START.isoformat()}');
create or replace function remediator_now() returns timestamptz language sql stable
    as 'select at from public.test_clock';
"""  # noqa: S608 -- nothing from outside is put in
"""Makes `remediator_now()` of a migrated database answer what the driver says."""


class DrivenClock:
    """A Clock that stands still until it is moved. Without a database it moves only itself."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._passed = timedelta(0)

    def now(self) -> datetime:
        """The time that has been reached."""
        return START + self._passed

    def monotonic(self) -> float:
        """Seconds, beginning at an arbitrary number."""
        return 1000.0 + self._passed.total_seconds()

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, in the database too."""
        await self.move_to(self.now() + timedelta(seconds=seconds))

    async def move_to(self, moment: datetime) -> None:
        """It is `moment` now, in the database too."""
        self._passed = moment - START
        if self._database is not None:
            async with self._database.connection() as connection:
                await connection.execute("update test_clock set at = $1", moment)
