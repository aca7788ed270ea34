"""How many replicas were wanted is remembered as stretches of one number each, and let go of after a month."""

from datetime import timedelta

from remediator.domain.target import Target
from remediator.store import replica_counts
from remediator.store.database import Connection, Database
from remediator.store.replica_counts import Wanted
from tests.support.clock import START, DrivenClock

API = Target(cluster="here", kind="deployment", namespace="shop", name="api")
OTHER = Wanted(kind="statefulset", name="api", uid="u7", replicas=9)
MINUTE = timedelta(minutes=1)


async def see(connection: Connection, replicas: int, uid: str = "u1") -> None:
    seen = [Wanted(kind="deployment", name="api", uid=uid, replicas=replicas), OTHER]
    await replica_counts.remember(connection, "here", "shop", seen, unseen_after=600)


async def remembered(connection: Connection) -> list[tuple[int, float, float]]:
    """Number, beginning and last look of each stretch, in minutes since the start."""
    found = await replica_counts.of_target(connection, API)
    return [(e.replicas, (e.began_at - START) / MINUTE, (e.last_seen_at - START) / MINUTE) for e in found]


async def test_a_number_lasts_until_it_was_last_seen(database: Database, clock: DrivenClock) -> None:
    async with database.connection() as connection:
        for replicas in (3, 3, 0, 3):
            await see(connection, replicas)
            await clock.advance(60)
        assert await remembered(connection) == [(3, 0.0, 1.0), (0, 2.0, 2.0), (3, 3.0, 3.0)]


async def test_a_time_in_which_nothing_was_seen_is_of_no_number(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        for minutes in (10, 60, 0):
            await see(connection, 3)
            await clock.advance(minutes * 60)
        assert await remembered(connection) == [(3, 0.0, 10.0), (3, 70.0, 70.0)]


async def test_an_object_made_anew_begins_anew(database: Database, clock: DrivenClock) -> None:
    async with database.connection() as connection:
        await see(connection, 3)
        await clock.advance(60)
        await see(connection, 3, uid="u2")
        assert [each.uid for each in await replica_counts.of_target(connection, API)] == ["u1", "u2"]


async def test_what_was_last_seen_a_month_ago_goes(database: Database, clock: DrivenClock) -> None:
    async with database.connection() as connection:
        await see(connection, 3)
        await clock.advance(31 * 86_400)
        await replica_counts.remember(connection, "here", "shop", [OTHER], unseen_after=600)
        assert await replica_counts.forget(connection, 10) == 2, "also the other one's time of then"
        assert await remembered(connection) == []
        assert await connection.fetchval("select string_agg(kind, ',') from replica_counts") == "statefulset"
