"""What the simulation counts by itself is what the database counts: one story told to both."""

from datetime import datetime, timedelta

import pytest

from remediator.backtest.ledger import Doing, Full, Ledger
from remediator.backtest.storms import StormCount
from remediator.catalogue import ALWAYS_ON
from remediator.domain.answers import Limit
from remediator.domain.change import TemplatePatch
from remediator.domain.run_view import RunView
from remediator.domain.target import KINDS, Target
from remediator.guards.budget import Budget
from remediator.guards.cooldown import Cooldown
from remediator.guards.limit import Limit as LimitGuard
from remediator.guards.ping_pong import PingPong
from remediator.guards.restart_loop import RestartLoop
from remediator.run import Run
from remediator.settings.sections import Storms
from remediator.step import Guard
from remediator.store import counts, storms
from remediator.store.attempts import Attempt
from remediator.store.database import Database
from tests.store.test_storms import opened, place
from tests.support.clock import START, DrivenClock
from tests.support.intents import approved, change, intend, move, outcome

WIDE = Budget(everywhere=1000, in_namespace=1000, unsettled=1000)
GUARDS: tuple[Guard, ...] = (
    Budget(),
    Cooldown(lasts=timedelta(minutes=25)),
    LimitGuard(effects=2, per=timedelta(hours=1), of="rule"),
    LimitGuard(effects=3, per=timedelta(hours=2), of="namespace"),
    LimitGuard(effects=5, per=timedelta(hours=2), of="everything"),
    LimitGuard(runs=2, per=timedelta(minutes=40), of="target"),
    LimitGuard(runs=4, per=timedelta(minutes=40), of="everything"),
    RestartLoop(),
    PingPong(),
)
SETTLES_AFTER = timedelta(minutes=10)
STORY = [
    (0, "a", "shop", "hung"),
    (1, "b", "shop", "hung"),
    (4, "c", "pay", "slow"),
    (9, "a", "shop", "slow"),
    (5, "d", "pay", "hung"),
    (12, "a", "shop", "hung"),
    (20, "e", "post", "hung"),
    (15, "a", "pay", "slow"),
    (0, "a", "shop", "hung"),
    (70, "a", "shop", "slow"),
]
"""Minutes after the one before, Deployment, namespace, rule."""


@pytest.mark.parametrize("action", ["restart", "rollback"])
async def test_limits_are_reached_when_the_database_says_so(
    database: Database, clock: DrivenClock, action: str
) -> None:
    ledger = Ledger()
    at_work: list[tuple[Run, datetime]] = []
    compared = refused = 0
    for number, (minutes, name, namespace, rule) in enumerate(STORY):
        await clock.advance(minutes * 60)
        now = clock.now()
        for run, ends_at in list(at_work):
            if now >= ends_at:
                await move(database, run, "RESOLVED")
                at_work.remove((run, ends_at))
        run = await approved(database, name, namespace=namespace, rule=rule)
        patch = change(run.target).model_copy(update={"action": action})
        doing = Doing(number, rule, run.target, now, action, patch.from_revision, patch.to_revision)
        ledger.planned(doing)
        for limit in (each for guard in GUARDS for each in guard.limits(patch, run.view)):
            expected = await _database_allows(database, run, limit, patch)
            assert (ledger.room(limit, doing, now) is None) is expected, (number, limit)
            compared, refused = compared + 1, refused + (not expected)
        attempt = await intend(database, run, WIDE)
        assert isinstance(attempt, Attempt)
        await outcome(database, run, attempt)
        await _as(database, attempt, action)
        await move(database, run, "ACTED")
        ledger.acted(doing, now, now + SETTLES_AFTER)
        at_work.append((run, now + SETTLES_AFTER))
    assert compared > 100
    assert refused > 15


async def _database_allows(database: Database, run: Run, limit: Limit, patch: TemplatePatch) -> bool:
    async with database.connection() as connection:
        return (await counts.count(connection, limit, run, patch)).allows


async def _as(database: Database, attempt: Attempt, action: str) -> None:
    async with database.connection() as connection:
        await connection.execute("update attempts set action = $2 where id = $1", attempt.id, action)


@pytest.mark.parametrize("guard", [*ALWAYS_ON, *GUARDS], ids=lambda guard: guard.key())
def test_what_a_guard_counts_depends_on_the_namespace_alone_as_the_simulation_takes_it(guard: Guard) -> None:
    found = set()
    for number, name in enumerate(("a", "b")):
        target = Target(cluster="c", kind=KINDS[number], namespace="shop", name=name)
        run = RunView(
            run_id=number, rule=name, mode="act", target=target, alert=None, created_at=START, rung=number
        )
        found.add(guard.limits(change(target, number), run))
    assert len(found) == 1


def test_a_limit_says_when_it_has_room_again() -> None:
    ledger = Ledger()
    target = Target(cluster="c", kind="deployment", namespace="shop", name="a")
    start = DrivenClock().now()
    limit = Limit(
        guard="limit", count="effects", of="target", fewer_than=2, per_seconds=3600, why="w", passing=True
    )
    for minute in (0, 10, 20):
        at = start + timedelta(minutes=minute)
        ledger.acted(Doing(minute, "r", target, at), at, at)
    asking = Doing(99, "r", target, start)
    full = ledger.room(limit, asking, start + timedelta(minutes=30))
    assert isinstance(full, Full)
    assert full.free_at == start + timedelta(minutes=70)
    assert isinstance(ledger.room(limit, asking, full.free_at - timedelta(seconds=1)), Full)
    assert ledger.room(limit, asking, full.free_at) is None


FIRING = [
    (0, "shop/a"),
    (1, "shop/b"),
    (1, "shop/b"),
    (0, "shop/c"),
    (1, "bank/a"),
    (1, "shop/d"),
    (0, "shop/e"),
    (9, "bank/b"),
    (1, "bank/c"),
    (0, "bank/d"),
    (1, "post/a"),
    (1, "post/b"),
    (0, "post/c"),
    (0, "post/d"),
    (1, "mail/a"),
    (30, "shop/a"),
]
"""Minutes after the one before, and the Deployment that begins to fire; each goes on for ever."""


async def test_storms_begin_and_end_when_the_database_says_so(database: Database, clock: DrivenClock) -> None:
    limits = Storms()
    count = StormCount(limits)
    seen = set()
    for number, (minutes, name) in enumerate(FIRING):
        await clock.advance(minutes * 60)
        namespace, _, deployment = name.partition("/")
        target = Target(cluster="default", kind="deployment", namespace=namespace, name=deployment)
        (episode_id,) = await opened(database, 1)
        async with database.transaction() as connection:
            await connection.execute(
                "update incidents set closed_at = remediator_now() where closed_at is null"
            )
            await place(connection, episode_id, name)
            await connection.execute("update episodes set fingerprint = id::text where id = $1", episode_id)
            await storms.reached(connection, namespace, limits)
        count.placed(number, target, clock.now(), clock.now())
        async with database.connection() as connection:
            for of in ("shop", "bank", "post", "mail"):
                asked = Target(cluster="default", kind="deployment", namespace=of, name="x")
                theirs, ours = await storms.covering(connection, asked), count.covering(asked, clock.now())
                assert (ours and (ours.namespace, ours.ends_at)) == (
                    theirs and (theirs.namespace, theirs.ends_at)
                ), (number, of)
                seen.add(None if theirs is None else theirs.where)
                surroundings = await storms.surroundings(
                    connection, asked, (), limits.window, timedelta(minutes=30)
                )
                assert count.newly_firing(of, limits.window, clock.now()) == (
                    surroundings.in_namespace,
                    surroundings.anywhere,
                )
    assert seen == {None, "in namespace shop", "in namespace post", "everywhere"}
