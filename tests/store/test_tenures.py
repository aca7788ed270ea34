"""A look at which nothing changed is as cheap as one statement can make it."""

from datetime import timedelta

from remediator.domain.target import Target
from remediator.store import tenures
from remediator.store.database import Connection, Database
from remediator.store.tenures import Sighting
from tests.support.clock import START, DrivenClock

UNSEEN_AFTER = 60.0


def sighting(
    name: str, *, uid: str = "1", revision: str = "v1", available: bool = True, kind: str = "deployment"
) -> Sighting:
    return Sighting(
        target=Target(cluster="here", kind=kind, namespace="shop", name=name),
        uid=uid,
        revision=revision,
        template={"image": revision},
        began_at=START,
        available=available,
    )


async def look(database: Database, *sightings: Sighting) -> int:
    """One look; how many statements it was."""
    statements: list[str] = []
    async with database.transaction() as connection:
        raw: Connection = connection
        with raw.query_logger(lambda record: statements.append(record.query)):
            await tenures.see(raw, sightings, UNSEEN_AFTER)
    return len(statements)


async def test_looking_at_many_workloads_that_did_not_change_takes_two_statements(
    database: Database, clock: DrivenClock
) -> None:
    many = [sighting(f"api-{each}", kind=kind) for kind in ("deployment", "daemonset") for each in range(100)]
    await look(database, *many)
    await clock.advance(15)
    assert await look(database, *many) == 2
    async with database.connection() as connection:
        rows = await connection.fetch("select last_seen_at, longest_available_seconds from tenures")
    assert {tuple(row) for row in rows} == {(START + timedelta(seconds=15), 15.0)}
    assert len(rows) == 200


async def test_each_workload_is_extended_by_what_was_seen_of_it(
    database: Database, clock: DrivenClock
) -> None:
    await look(database, sighting("well"), sighting("ill"), sighting("changing"), sighting("replaced"))
    await clock.advance(15)
    await look(
        database,
        sighting("well"),
        sighting("ill", available=False),
        sighting("changing", revision="v2"),
        sighting("replaced", uid="2"),
    )
    await clock.advance(15)
    await look(database, sighting("well"), sighting("ill"))
    async with database.connection() as connection:
        found = await connection.fetch(
            """select name, uid, revision, ended_at is null as current, longest_available_seconds
               from tenures order by name, id"""
        )
    assert [tuple(row) for row in found] == [
        ("changing", "1", "v1", False, 0.0),
        ("changing", "1", "v2", True, 0.0),
        ("ill", "1", "v1", True, 0.0),
        ("replaced", "1", "v1", False, 0.0),
        ("replaced", "2", "v1", True, 0.0),
        ("well", "1", "v1", True, 30.0),
    ]


async def test_a_look_after_too_long_begins_a_new_stretch_and_keeps_the_longest(
    database: Database, clock: DrivenClock
) -> None:
    await look(database, sighting("api"))
    for seconds, longest in ((60, 60.0), (61, 60.0), (45, 60.0), (45, 90.0)):
        await clock.advance(seconds)
        await look(database, sighting("api"))
        async with database.connection() as connection:
            assert await connection.fetchval("select longest_available_seconds from tenures") == longest


async def test_restarts_and_times_without_a_look_are_kept_of_each_tenure(
    database: Database, clock: DrivenClock
) -> None:
    def seen(stamp: str) -> Sighting:
        return sighting("api").model_copy(update={"restart_stamp": stamp})

    for seconds, stamp in ((0, ""), (15, ""), (15, "a"), (60, "a"), (61, "a"), (15, "b"), (15, "a")):
        await clock.advance(seconds)
        await look(database, seen(stamp))
    async with database.connection() as connection:
        row = await connection.fetchrow("select watched_since, restarts, unseen from tenures")
    assert row is not None
    assert row["watched_since"] == START
    assert [(each - START).total_seconds() for each in row["restarts"]] == [30, 166, 181]
    assert [
        ((each.lower - START).total_seconds(), (each.upper - START).total_seconds()) for each in row["unseen"]
    ] == [(90, 151)]


async def test_what_the_version_before_saw_tells_of_no_restart_and_of_no_time_without_a_look(
    database: Database, clock: DrivenClock
) -> None:
    await look(database, sighting("api"))
    async with database.connection() as connection:
        await connection.execute("update tenures set watched_since = null, restart_stamp = null")
    await clock.advance(3600)
    await look(database, sighting("api").model_copy(update={"restart_stamp": "a"}))
    async with database.connection() as connection:
        row = await connection.fetchrow("select watched_since, restart_stamp, restarts, unseen from tenures")
    assert row is not None
    assert tuple(row) == (START + timedelta(hours=1), "a", [], [])


async def test_while_the_version_before_looked_again_nobody_watched(
    database: Database, clock: DrivenClock
) -> None:
    await look(database, sighting("api"))
    for _ in range(5):
        await clock.advance(15)
        async with database.connection() as connection:
            await connection.execute("update tenures set last_seen_at = remediator_now()")
    await clock.advance(15)
    await look(database, sighting("api").model_copy(update={"restart_stamp": "a"}))
    async with database.connection() as connection:
        row = await connection.fetchrow("select restarts, unseen, watched_until from tenures")
    assert row is not None
    now = START + timedelta(seconds=90)
    assert row["restarts"] == [now]
    assert [(each.lower, each.upper) for each in row["unseen"]] == [(START, now)]
    assert row["watched_until"] == now


async def test_of_what_was_before_the_oldest_that_is_kept_nothing_is_known(
    database: Database, clock: DrivenClock
) -> None:
    for number in range(102):
        await look(database, sighting("api").model_copy(update={"restart_stamp": f"{number}"}))
        await clock.advance(61)
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select watched_since, cardinality(restarts), cardinality(unseen) from tenures"
        )
    assert row is not None
    assert tuple(row) == (START + timedelta(seconds=61), 100, 100)
