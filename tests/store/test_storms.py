"""A storm puts off what is due in one statement, and looks up a bounded number of targets a minute."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

from remediator.domain.alert import Alert
from remediator.domain.storm import Storm
from remediator.domain.target import Target
from remediator.guards.storm import Storm as StormGuard
from remediator.settings.sections import Storms
from remediator.store import arrivals, episodes, storms
from remediator.store.attempts import Attempt
from remediator.store.database import Connection, Database
from remediator.store.notices import UnreadNotice
from tests.support.clock import START, DrivenClock
from tests.support.intents import approved, intend
from tests.support.waiting import until

LIMITS = Storms()


async def opened(database: Database, count: int) -> list[int]:
    """So many alerts that nobody has planned yet."""
    batch = [
        UnreadNotice(
            id=number,
            source="alertmanager",
            alert=Alert(
                status="firing",
                labels={"alertname": "Slow", "number": str(number)},
                annotations={},
                starts_at=START,
                ends_at=None,
            ),
        )
        for number in range(count)
    ]
    async with database.transaction() as connection:
        return list((await arrivals.open_each(connection, batch)).values())


async def targets_fire(database: Database, *names: str) -> None:
    """An alert on each of these is planned, and a rule that acts is for it."""
    ids = await opened(database, len(names))
    async with database.transaction() as connection:
        for episode_id, name in zip(ids, names, strict=True):
            await place(connection, episode_id, name)
            await storms.reached(connection, name.partition("/")[0], LIMITS)


async def place(connection: Connection, episode_id: int, name: str) -> None:
    """It is about the Deployment `name`, which begins to fire with it."""
    incident_id: int = await connection.fetchval(
        "insert into incidents (subject, title, cluster) values ($1, '', '') returning id", name
    )
    assert await episodes.place(connection, episode_id, incident_id, f"deployment/{name}", (), acting=True)
    await connection.execute(
        "update episodes set fingerprint = target, plan_due_at = null, disposition = 'x' where id = $1",
        episode_id,
    )


async def in_force(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [each.where for each in await storms.in_force(connection)]


async def test_the_fourth_target_in_a_namespace_is_a_storm_there_and_the_eighth_one_everywhere(
    database: Database, clock: DrivenClock
) -> None:
    await targets_fire(database, "shop/a", "shop/b", "shop/c", "bank/a")
    assert await in_force(database) == []
    await targets_fire(database, "shop/d")
    assert await in_force(database) == ["in namespace shop"]
    await targets_fire(database, "bank/b", "post/a", "post/b")
    assert await in_force(database) == ["everywhere"]


async def test_of_two_targets_planned_at_the_same_moment_the_second_to_count_sees_the_first(
    database: Database, clock: DrivenClock
) -> None:
    await targets_fire(database, "shop/a", "shop/b")
    first, second = await opened(database, 2)
    async with asyncio.timeout(5), database.transaction() as later:
        async with database.transaction() as earlier:
            await place(earlier, first, "shop/c")
            await place(later, second, "shop/d")
            assert await storms.reached(earlier, "shop", LIMITS) is None
            counting = asyncio.create_task(storms.reached(later, "shop", LIMITS))
            await until(
                partial(has_answered_or_waits, counting, database), "it has counted or waits", every=0.01
            )
        assert await counting is not None
    assert await in_force(database) == ["in namespace shop"]


async def has_answered_or_waits(counting: "asyncio.Task[Storm | None]", database: Database) -> bool:
    async with database.connection() as connection:
        waiting = await connection.fetchval(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        )
    return counting.done() or bool(waiting)


async def test_targets_that_fire_far_apart_and_alerts_of_one_target_are_no_storm(
    database: Database, clock: DrivenClock
) -> None:
    for name in "abcdefgh":
        await targets_fire(database, f"shop/{name}")
        await clock.advance(120)
    assert await in_force(database) == []


async def test_what_is_due_is_put_off_at_once_and_told_in_the_journal(
    database: Database, clock: DrivenClock
) -> None:
    await targets_fire(database, *(f"shop-{name}/a" for name in "abcdefgh"))
    ids = await opened(database, 300)
    async with database.transaction() as connection:
        storm = await storms.everywhere(connection)
        assert storm is not None
        assert await storms.put_off(connection, storm) == 300
        assert await storms.put_off(connection, storm) == 0
        rows = await connection.fetch(
            "select plan_due_at, disposition, why from episodes where id = any($1::bigint[])", ids
        )
        told = await connection.fetchval("select count(*) from journal where kind = 'disposition'")
    assert {tuple(row) for row in rows} == {(START + LIMITS.cool_down, "storm", storm.why)}
    assert told == 300


async def test_the_offered_target_is_changed_only_where_its_plan_asked_about_this_storm(
    database: Database, clock: DrivenClock
) -> None:
    run = await approved(database, "api")
    assert run.plan is not None
    await targets_fire(database, *(f"shop/{name}" for name in "abcd"))
    async with database.connection() as connection:
        (storm,) = await storms.in_force(connection)
        assert await storms.tell(connection, storm, {}, str(run.target), "it may be the cause")
    unasked = await intend(database, run, StormGuard())
    assert isinstance(unasked, tuple)
    assert [each.why for each in unasked] == ["a storm covers this target"]
    asked = replace(run, plan=run.plan.model_copy(update={"asked": ("storm: it may be the cause",)}))
    assert isinstance(await intend(database, asked, StormGuard()), Attempt)


async def test_64_targets_a_minute_are_looked_up_in_a_storm(database: Database, clock: DrivenClock) -> None:
    await targets_fire(database, *(f"shop-{name}/a" for name in "abcdefgh"))
    async with database.connection() as connection:
        storm = await storms.everywhere(connection)
        assert storm is not None
        assert not await storms.take_look(connection, storm), "nothing is due"
    await opened(database, 1)
    async with database.connection() as connection:
        assert [await storms.take_look(connection, storm) for _ in range(70)] == [True] * 64 + [False] * 6
        await clock.advance(60)
        assert await storms.take_look(connection, storm)


async def test_alerts_that_nobody_has_planned_yet_are_known(database: Database, clock: DrivenClock) -> None:
    await opened(database, 5)
    async with database.connection() as connection:
        assert await storms.unplanned(connection, LIMITS.window) == 5
        api = Target(cluster="c", kind="deployment", namespace="shop", name="api")
        seen = await storms.surroundings(connection, api, (), LIMITS.window, timedelta(minutes=30))
        assert (seen.unplanned, seen.anywhere) == (5, 0)
    await clock.advance(301)
    async with database.connection() as connection:
        assert await storms.unplanned(connection, LIMITS.window) == 0
