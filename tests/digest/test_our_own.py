"""What our own database tells the digest: alerts, what is locked, what rules do, what people did."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.digest.full import RULES, lines
from tests.support.clock import DrivenClock
from tests.support.intents import approved
from tests.support.people import Someone, people
from tests.support.story import Story, told

HOUR = 3600.0
DAY = 24 * HOUR
BREAKER = """insert into breaker_openings (cluster, kind, namespace, name, until, why, rules)
             values ('default', 'deployment', 'shop', 'cart', remediator_now() + interval '1 day',
                     'restart at 11:00 ended ESCALATED', '{hung}')"""
STORM = "insert into storms (namespace, ends_at) values ('pay', remediator_now() + interval '10 minutes')"
REFUSED = """insert into journal (run_id, kind, text, details)
             values ({run}, 'guard', 'no', '{{"guard": "floor", "answer": "refuse"}}')"""
CLEARED = """insert into journal (run_id, kind, text, details)
             values ({run}, 'state', 'go on', '{{"from": "PROPOSED", "to": "CLEARED"}}')"""
DEMOTION = (
    """insert into demotions (rule, mode, why) values ('bad-release', 'shadow', 'breakers opened twice')"""
)


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    given = people(tmp_path, kim=["view", "approve", "operate"], guest=["view"])
    async with told(tmp_path, database_url, clock, RULES, given) as made:
        yield made


async def digest(story: Story, period: str = "daily") -> Any:
    answer = await Someone.named("guest", story.url).send("GET", f"/api/v1/digests/{period}")
    assert answer.status == 200, answer
    return answer.json


async def execute(story: Story, *statements: str) -> None:
    async with story.daemon.database.connection() as connection:
        for each in statements:
            await connection.execute(each)


async def test_rules_that_never_fire_or_always_refuse_are_named_with_what_refused(story: Story) -> None:
    await story.create("app:v1")
    assert lines(await digest(story), "rules") == [
        "fine: no run yet, and loaded for less than 30 days: bad-release, silent, hung, only-looks",
        "fine: 0 of 4 rules had runs in 30 days",
    ]
    await story.clock.advance(31 * DAY)
    await story.soak(60)
    await story.fire()
    await story.fire(alertname="Hung")
    await story.fire(alertname="Odd")
    await story.let(120)
    assert lines(await digest(story), "rules") == [
        "look: bad-release: every one of its 1 runs in 30 days was refused, by rollback (1)",
        "look: silent: no alert led to a run of it in 30 days",
        "look: hung: every one of its 1 runs in 30 days was refused, by min_replicas (1)",
        "fine: 3 of 4 rules had runs in 30 days",
    ]


async def test_a_rule_that_was_let_go_on_once_does_not_always_refuse(story: Story) -> None:
    refused, cleared = [
        (await approved(story.daemon.database, each, rule="bad-release")).id
        for each in ("refused", "cleared")
    ]
    await execute(
        story,
        "update runs set state = 'CANCELLED', ended_at = remediator_now()",
        *(REFUSED.format(run=each) for each in (refused, cleared)),
    )
    said = "look: bad-release: every one of its 2 runs in 30 days was refused, by floor (2)"
    assert lines(await digest(story), "rules")[0] == said
    await execute(story, CLEARED.format(run=cleared))
    assert not any("bad-release" in each for each in lines(await digest(story), "rules"))


async def test_a_rule_that_may_not_go_as_far_as_its_file_says_is_named(story: Story) -> None:
    await execute(story, DEMOTION)
    said = "look: bad-release: its file says act, it is in shadow: breakers opened twice"
    assert lines(await digest(story), "rules")[0] == said


async def test_everything_that_keeps_a_target_locked_is_named(story: Story) -> None:
    assert lines(await digest(story), "locked_targets") == [
        "fine: nothing is locked, paused or left to people"
    ]
    database = story.daemon.database
    lost, waiting = await approved(database, "lost"), await approved(database, "waiting")
    await story.clock.advance(1.5 * HOUR)
    at_work = await approved(database, "at-work")
    unknown = f"update runs set state = 'UNKNOWN', why = 'nobody can tell' where id = {lost.id}"
    held = f"update runs set hold_why = 'people are asked' where id = {waiting.id}"
    await execute(story, unknown, held, BREAKER, STORM)
    kim = Someone.named("kim", story.url)
    asked = {"scope": "namespace", "value": "shop", "why": "a migration"}
    assert (await kim.send("POST", "/api/v1/pauses", asked)).status == 201
    pause, breaker, storm, *runs = sorted(
        lines(await digest(story), "locked_targets"),
        key=lambda each: ("paused" not in each, "breaker" not in each, "storm" not in each),
    )
    assert pause.startswith(
        "look: pause-1: kim paused namespace shop until pause-1 is resumed, because a migr"
    )
    assert breaker.startswith("look: deployment/shop/cart: its breaker is open until ")
    assert breaker.endswith("restart at 11:00 ended ESCALATED")
    assert storm.startswith("look: a storm in namespace pay since ")
    assert runs == [
        (
            f"look: deployment/shop/lost: run {lost.id} of hung holds it for 1h30m (UNKNOWN): nobody can tell; "
            f"`remediator runs settle {lost.id}` once somebody has looked"
        ),
        f"look: deployment/shop/waiting: run {waiting.id} of hung holds it for 1h30m (APPROVED): people are asked",
        f"fine: deployment/shop/at-work: run {at_work.id} of hung holds it for 0s (APPROVED): it has just begun",
    ]


async def test_alerts_are_counted_beside_the_period_before(story: Story) -> None:
    for _ in range(2):
        await story.fire(alertname="Before")
        await story.resolve(alertname="Before")
        await story.clock.advance(HOUR)
    await story.clock.advance(DAY)
    await story.fire(alertname="Before")
    await story.resolve(alertname="Before")
    await story.fire(alertname="Odd")
    await execute(story, "insert into quarantine (source, reason, body) values ('a', 'no labels', '{}')")
    seen = await digest(story)
    assert lines(seen, "alerts") == [
        "look: Odd: 1, 1 open (before: 0)",
        "look: 1 alerts could not be read and are in quarantine",
        "fine: Before: 1 (before: 2)",
    ]
    assert lines(await digest(story, "weekly"), "alerts")[0] == "look: Before: 3 (before: 0)"


async def test_what_people_had_done_in_the_period_is_told(story: Story) -> None:
    kim = Someone.named("kim", story.url)
    pause = {"scope": "everything", "why": "a drill"}
    assert (await kim.send("POST", "/api/v1/pauses", pause)).status == 201
    assert (await kim.send("POST", "/api/v1/pauses/pause-1/resume", {"why": "over"})).status == 200
    (approve, *_) = [each.digest for each in story.daemon.rules.rules()]
    assert (await kim.send("POST", f"/api/v1/rules/{approve}/approve")).status == 200
    done = [each for each in lines(await digest(story), "security_events") if "remediator: " in each]
    assert done == [
        "fine: remediator: kim approved rules (1 times)",
        "fine: remediator: kim ended pauses (1 times)",
        "fine: remediator: kim paused (1 times)",
    ]
    await story.clock.advance(2 * DAY)
    assert lines(await digest(story), "security_events")[-1] == "fine: remediator: nobody had anything done"
    weekly = lines(await digest(story, "weekly"), "security_events")
    assert "fine: remediator: kim paused (1 times)" in weekly


async def test_only_who_may_look_is_answered_and_only_with_what_there_is(story: Story) -> None:
    nobody, guest = Someone(story.url, {}), Someone.named("guest", story.url)
    assert (await nobody.send("GET", "/api/v1/digests/daily")).status == 401
    answers = await asyncio.gather(
        *(guest.send("GET", f"/api/v1/digests/{each}") for each in ("daily", "weekly", "monthly"))
    )
    assert [each.status for each in answers] == [200, 200, 404]
    assert answers[2].json["hint"] == "There are daily and weekly."
