"""A rollback is never answered with an automatic roll forward, and a pair of versions is tried once in 24 hours.

Told on the level of decisions: 1,000 hours, in which somebody puts a version back every hour or so and the
health of both changes all the time.
"""

import random
from datetime import datetime, timedelta

import pytest

from remediator.domain.change import Scaling, TemplatePatch
from remediator.domain.run_view import TriggerAlert
from remediator.domain.target import Target
from remediator.guards.ping_pong import PingPong
from remediator.guards.restart_loop import RestartLoop
from remediator.rulebook.rule import Rule
from remediator.run import Run, State
from remediator.store import attempts, incidents, runs
from remediator.store.attempts import Attempt
from remediator.store.database import Database
from tests.guards.changes import a_scaling
from tests.support.clock import DrivenClock

HOURS = {"deployment": 1000, "statefulset": 150, "daemonset": 150}
DAY = timedelta(hours=24)


def template(version: str) -> dict[str, object]:
    return {
        "metadata": {"labels": {"app": "api"}},
        "spec": {"containers": [{"name": "app", "image": version}]},
    }


def a_change(target: Target, action: str, before: str, after: str) -> TemplatePatch:
    return TemplatePatch(
        action=action,
        target=target,
        uid="u",
        from_title=before,
        to_title=after,
        summary=f"{action} {before} -> {after}",
        from_template=template(before),
        to_template=template(after),
    )


async def decide(database: Database, change: TemplatePatch | Scaling, now: datetime) -> bool:
    """One run that wants this change and whose other guards all allow it; whether it was made."""
    alert = TriggerAlert(
        source="alertmanager", fingerprint="0", labels={}, annotations={}, starts_at=now, received_at=now
    )
    rule = Rule(rule="bad-release", match=('{alertname="Slow"}',), mode="act")
    guard = RestartLoop() if change.action == "restart" else PingPong()
    async with database.transaction() as connection:
        incident_id, _ = await incidents.attach(
            connection,
            subject=str(change.target),
            title="t",
            cluster="c",
            target=change.target,
            severity=None,
        )
        await runs.create(
            connection,
            incident_id=incident_id,
            rule=rule,
            mode="act",
            target=change.target,
            trigger=alert,
            depends_on=(),
        )
        run = await runs.take_due(connection, "me", 60)
        assert isinstance(run, Run)
        limits = guard.limits(change, run.view)
        made = await attempts.commit_intent(connection, run, "me", 0, change, limits, None)
        if isinstance(made, Attempt):
            await attempts.record_outcome(connection, run, "me", made, "applied", "seen")
        await connection.execute(
            "update runs set state = $2, ended_at = remediator_now(), lease_owner = null where id = $1",
            run.id,
            State.ESCALATED,
        )
    return isinstance(made, Attempt)


@pytest.mark.parametrize("kind", HOURS)
async def test_good_and_bad_may_change_places_for_1000_hours(
    database: Database, clock: DrivenClock, kind: str
) -> None:
    chance = random.Random(kind)
    target = Target(cluster="c", kind=kind, namespace="shop", name="api")
    versions, current = ("v1", "v2", "v3"), "v2"
    made: list[tuple[datetime, str, str]] = []
    for _ in range(HOURS[kind]):
        await clock.advance(3600)
        wanted = chance.choice([each for each in versions if each != current])
        if await decide(database, a_change(target, "rollback", current, wanted), clock.now()):
            made.append((clock.now(), current, wanted))
            current = wanted
        if chance.random() < 0.5:
            current = chance.choice(versions)
    assert len(made) > HOURS[kind] / 50, "it acts at all"
    for number, (at, before, after) in enumerate(made):
        for earlier_at, earlier_before, earlier_after in made[:number]:
            if at - earlier_at < DAY:
                assert (before, after) != (earlier_before, earlier_after), "the same pair again"
                assert after != earlier_before, "to a version that was left"


async def test_restarts_of_a_service_that_always_hangs_are_four_in_every_24_hours(
    database: Database, clock: DrivenClock
) -> None:
    target = Target(cluster="c", kind="deployment", namespace="shop", name="api")
    made: list[datetime] = []
    for _ in range(6 * 50):
        await clock.advance(600)
        if await decide(database, a_change(target, "restart", "v1", "v1"), clock.now()):
            made.append(clock.now())
    assert len(made) >= 6
    for at in made:
        assert sum(1 for each in made if at - DAY < each <= at) <= 4
        assert sum(1 for each in made if at - timedelta(hours=1) < each <= at) <= 2


async def test_a_step_that_was_taken_back_is_not_made_again_within_the_day(
    database: Database, clock: DrivenClock
) -> None:
    target = Target(cluster="c", kind="deployment", namespace="shop", name="api")
    step = a_scaling(3, 5).model_copy(update={"target": target})
    assert await decide(database, step, clock.now())
    await clock.advance(3600)
    assert not await decide(database, step, clock.now())
    further = a_scaling(5, 7).model_copy(update={"target": target})
    assert await decide(database, further, clock.now()), "the next step up is no repetition"
    await clock.advance(24 * 3600)
    assert await decide(database, step, clock.now())
