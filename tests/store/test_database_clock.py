"""Time is the database's, and waiting for a connection is no part of asking for it."""

import asyncio

from remediator.store.database import open_database
from remediator.store.database_clock import DatabaseClock
from tests.support.clock import START, DrivenClock


async def test_a_long_wait_for_a_connection_does_not_set_the_clock_wrong(database_url: str) -> None:
    database, machine = await open_database(database_url, size=1), DrivenClock()
    try:
        async with database.connection():
            asking = asyncio.create_task(DatabaseClock.told(database, machine))
            await asyncio.wait([asking], timeout=0.2)
            await machine.advance(8)
        assert (await asking).now() == START
    finally:
        await database.close()
