"""The database and the program of a test share one time, and only the test moves it."""

from remediator.store.database import Database
from tests.support.clock import START, DrivenClock


async def test_time_stands_still_until_the_test_moves_it(database: Database, clock: DrivenClock) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("select remediator_now()") == START == clock.now()
        before = clock.monotonic()
        await clock.advance(90.5)
        assert await connection.fetchval("select remediator_now()") == clock.now()
    assert ((clock.now() - START).total_seconds(), clock.monotonic() - before) == (90.5, 90.5)


async def test_every_test_has_a_database_of_its_own(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from notices") == 0
        assert await connection.fetchval("select remediator_now()") == START
