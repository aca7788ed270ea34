"""Time that only a test moves, the same in the program and in the test's database."""

from datetime import UTC, datetime, timedelta

from remediator.store.database import Database

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""Where every test begins: a Monday, at noon."""

DRIVEN_NOW = f"""
create table test_clock (at timestamptz not null);
insert into test_clock values ('{START.isoformat()}');
create or replace function remediator_now() returns timestamptz language sql stable
    as 'select at from public.test_clock';
"""
"""Makes `remediator_now()` of a migrated database answer what the test says."""


class DrivenClock:
    """A Clock that stands still until `advance`. Without a database it moves only itself."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._passed = timedelta(0)

    def now(self) -> datetime:
        """The time the test has reached."""
        return START + self._passed

    def monotonic(self) -> float:
        """Seconds, beginning at an arbitrary number."""
        return 1000.0 + self._passed.total_seconds()

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, in the test's database too."""
        self._passed += timedelta(seconds=seconds)
        if self._database is not None:
            async with self._database.connection() as connection:
                await connection.execute("update test_clock set at = $1", self.now())
