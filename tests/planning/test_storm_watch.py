"""People are told of a storm and its offered target is planned again, both or neither."""

import asyncio
from datetime import timedelta
from functools import partial

from remediator.domain.target import Target
from remediator.planning.policy import Policy
from remediator.planning.storm_watch import StormWatch
from remediator.settings.sections import Storms
from remediator.store import storms, tenures
from remediator.store.database import Database
from tests.support.clock import DrivenClock
from tests.support.waiting import until

POLICY = Policy(
    cluster="c",
    cluster_label=None,
    ceiling="act",
    ceilings={},
    insecure=False,
    probation=timedelta(days=7),
    settle=timedelta(minutes=30),
    storm=Storms(in_namespace=2),
    severities=(),
)


async def a_storm_behind_a_rollout(database: Database, clock: DrivenClock) -> None:
    """Two targets of `shop` fire and wait for the storm to be over; `api` was rolled out before."""
    now = clock.now()
    async with database.transaction() as connection:
        for name, ago in (("api", timedelta(minutes=5)), ("web", timedelta(days=1))):
            target = Target(cluster="c", kind="deployment", namespace="shop", name=name)
            sighting = tenures.Sighting(
                target=target, uid=name, revision="r", template={}, began_at=now - ago, available=True
            )
            await tenures.see(connection, [sighting], 60)
            await connection.execute(
                """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, target,
                                         acting, disposition)
                   values ('alertmanager', $1, 'Slow', '{}', '{}', remediator_now(), $2, true, 'storm')""",
                name,
                str(target),
            )
        assert await storms.reached(connection, "shop", POLICY.storm) is not None


async def test_nobody_is_told_before_the_offered_target_is_planned_again(
    database: Database, clock: DrivenClock
) -> None:
    await a_storm_behind_a_rollout(database, clock)
    watch = StormWatch(database, clock, POLICY, ())
    async with asyncio.timeout(15), database.transaction() as elsewhere:
        await elsewhere.execute("select 1 from episodes where fingerprint = 'api' for update")
        telling = asyncio.create_task(watch.tick())
        await until(partial(somebody_waits, database), "the watch waits for the episode", every=0.01)
        async with database.connection() as connection:
            assert len(await storms.untold(connection)) == 1
    assert await telling
    async with database.connection() as connection:
        assert await storms.untold(connection) == []
        again = await connection.fetch(
            "select fingerprint from episodes where plan_due_at <= remediator_now()"
        )
    assert [row["fingerprint"] for row in again] == ["api"]


async def somebody_waits(database: Database) -> bool:
    async with database.connection() as connection:
        waiting = await connection.fetchval("select count(*) from pg_locks where not granted")
    return bool(waiting)
