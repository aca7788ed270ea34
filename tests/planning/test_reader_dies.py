"""A reader that dies over a batch it has taken keeps nobody from reading it within the minute that is promised."""

import json
from collections.abc import Iterator

import pytest

from remediator.fault_points import FaultPoint, arm
from remediator.planning.reader import Reader
from remediator.store import notices
from remediator.store.database import Database
from remediator.web.webhook_message import read_message
from tests.support.alerts import labelled, message
from tests.support.clock import DrivenClock


class Died(Exception):
    """The process ends here."""


@pytest.fixture
def dies_with_a_batch() -> Iterator[None]:
    def die(point: FaultPoint) -> None:
        if point is FaultPoint.J07:
            arm(None)
            raise Died

    arm(die)
    yield
    arm(None)


@pytest.mark.usefixtures("dies_with_a_batch")
async def test_what_a_dead_reader_had_taken_is_read_within_a_minute(
    database: Database, clock: DrivenClock
) -> None:
    body = json.dumps(message(labelled(alertname="HighErrorRate"))).encode()
    sent = read_message(body, "alertmanager")
    async with database.transaction() as connection:
        await notices.store(connection, "alertmanager", sent.alerts)
    with pytest.raises(Died):
        await Reader(database).tick()
    assert not await Reader(database).tick()
    await clock.advance(45)
    assert await Reader(database).tick()
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from notices where read_at is null") == 0
