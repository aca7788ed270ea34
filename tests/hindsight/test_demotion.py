"""The same numbers after acting bring a rule down, and people are told once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remediator.domain.notice import Notice
from remediator.store import rule_versions
from tests.hindsight.month import MINUTE, Month, day
from tests.support.clock import DrivenClock
from tests.support.story import RESTART, Story, told

WEEK = 7 * 24 * 3600.0


async def acted(story: Story, failed: int, held: int, number: int = 3) -> None:
    """The rule changed so many targets, one time each, so that no breaker opens."""
    (rule,) = story.daemon.rules.rules()
    async with story.daemon.database.transaction() as connection:
        month = Month(connection)
        for each in range(failed):
            at = day(number, 9) + each * MINUTE
            if each % 2:
                await month.acted(rule, at, 5, back=30)
            else:
                await month.acted(rule, at, 5, state="ESCALATED")
        for each in range(held):
            await month.acted(rule, day(number, 8) + each * MINUTE, 5)


async def mode(story: Story) -> tuple[str, str]:
    """How far the rule may go after the next look, and why."""
    await story.daemon.breaker_watch.tick()
    (found,) = await story.daemon.rules.modes()
    return found.effective, found.why


async def told_people(story: Story) -> list[Notice]:
    async with story.daemon.database.connection() as connection:
        rows = await connection.fetch("select payload from outbox order by id")
    return list({each.key: each for each in (Notice(**row["payload"]) for row in rows)}.values())


@pytest.mark.parametrize(
    ("failed", "held", "settings", "effective"),
    [
        (9, 1, {}, "ask"),  # 1 of 10: at most 0.404
        (8, 2, {}, "act"),  # 2 of 10: at most 0.510
        (9, 0, {}, "act"),  # nine are too few
        (18, 2, {}, "shadow"),  # 2 of 20: at most 0.301, and twice as many
        (9, 1, {"held": None}, "act"),
        (9, 1, {"held": 0.4}, "act"),
        (8, 2, {"held": 0.52}, "ask"),
        (5, 0, {"acted": 5}, "ask"),
        (9, 1, {"demote_within": "3d"}, "act"),
    ],
)
async def test_a_rule_whose_changes_surely_do_not_hold_is_brought_down(
    tmp_path: Path,
    database_url: str,
    clock: DrivenClock,
    failed: int,
    held: int,
    settings: Mapping[str, Any],
    effective: str,
) -> None:
    async with told(tmp_path, database_url, clock, RESTART, {"breakers": settings}) as story:
        await clock.advance(WEEK)
        await acted(story, failed, held)
        assert (await mode(story))[0] == effective
        assert len([each for each in await told_people(story) if "DEMOTED" in each.title]) == (
            effective != "act"
        )


async def test_failures_count_no_earlier_than_what_may_yet_hold(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        (rule,) = story.daemon.rules.rules()
        async with story.daemon.database.transaction() as connection:
            for each in range(30):
                at = day(7, 11) + (40 + each % 15) * MINUTE
                state = "ESCALATED" if each < 20 else "RESOLVED"
                await Month(connection).acted(rule, at, 5, state=state)
        assert (await mode(story))[0] == "act", "within an hour of noon nothing is known"
        await clock.advance(3600)
        assert (await mode(story))[0] == "act", "10 of 30: at most 0.512"


async def test_people_are_told_once_and_an_approval_ends_it(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        await acted(story, 9, 1)
        await story.daemon.breaker_watch.tick()
        effective, why = await mode(story)
        assert effective == "ask"
        assert "demoted: of 10 changes it made 1 held, which is surely fewer than 50%" in why
        (notice,) = await told_people(story)
        assert notice.title == "[DEMOTED] rule hung may go no further than ask"
        assert "(95 % interval: up to 40%), until somebody approves it again" in notice.text
        async with story.daemon.database.transaction() as connection:
            said = await connection.fetchval("select text from journal where kind = 'rule_mode'")
            audited = await connection.fetchval("select count(*) from audit where kind = 'rule_demoted'")
            digest = story.daemon.rules.rules()[0].digest
            assert await rule_versions.approve(connection, digest, "kim") is not None
        assert said.startswith(notice.title)
        assert audited == 1
        assert (await mode(story))[0] == "act", "what was before the approval does not count"


async def test_going_on_to_fail_in_mode_ask_leads_to_shadow(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        await acted(story, 9, 1)
        assert (await mode(story))[0] == "ask"
        await acted(story, 9, 1, number=4)
        assert (await mode(story))[0] == "shadow"
        titles = [each.title for each in await told_people(story)]
        assert titles == [
            "[DEMOTED] rule hung may go no further than ask",
            "[DEMOTED] rule hung may go no further than shadow",
        ]


async def failed_on(story: Story, target: str, hour: int) -> None:
    """Two failures on one target open its breaker."""
    (rule,) = story.daemon.rules.rules()
    async with story.daemon.database.transaction() as connection:
        for minutes in (0, 30):
            at = day(7, hour) + minutes * MINUTE
            await Month(connection).acted(rule, at, 5, state="ESCALATED", on=target)


async def test_a_breaker_that_opens_lifts_no_rule_that_its_record_brought_to_shadow(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        await acted(story, 18, 2)
        assert (await mode(story))[0] == "shadow"
        await clock.advance(60)
        for target, hour in (("web", 8), ("shop", 9)):
            await failed_on(story, target, hour)
        assert (await mode(story))[0] == "shadow"
        titles = [each.title for each in await told_people(story)]
        assert len([each for each in titles if "LEFT TO PEOPLE" in each]) == 2
        assert len([each for each in titles if "DEMOTED" in each]) == 1


async def test_the_strictest_demotion_since_the_approval_holds(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    """Written by two daemons at one moment, the milder one may be the later one."""
    async with told(tmp_path, database_url, clock, RESTART) as story:
        async with story.daemon.database.transaction() as connection:
            for to in ("shadow", "ask"):
                await connection.execute(
                    "insert into demotions (rule, mode, why) values ('hung', $1, 'it failed')", to
                )
        assert (await mode(story))[0] == "shadow"


async def test_a_demotion_that_cannot_be_written_keeps_no_breaker_from_opening(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        await acted(story, 9, 1)
        await failed_on(story, "web", 8)
        async with story.daemon.database.connection() as connection:
            await connection.execute("alter table demotions add constraint broken check (false)")
        with pytest.raises(asyncpg.CheckViolationError):
            await story.daemon.breaker_watch.tick()
        assert [each.title for each in await told_people(story)] == ["[LEFT TO PEOPLE] deployment/shop/web"]


async def test_a_version_is_not_brought_down_by_what_another_did_nor_one_that_is_not_loaded(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        await acted(story, 18, 2)
        rules = tmp_path / "rules" / "story.yaml"
        for other in (
            RESTART.replace("HighErrorRate", "Other"),
            RESTART.replace("rule: hung", "rule: stuck"),
        ):
            rules.write_text(other)
            await story.daemon.rules.reload()
            assert (await mode(story))[0] == "act"
        assert await told_people(story) == []
        rules.write_text(RESTART)
        await story.daemon.rules.reload()
        assert (await mode(story))[0] == "shadow"


async def test_of_a_demotion_that_takes_nothing_from_a_rule_nobody_is_told(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    asking = RESTART.replace("mode: act", "mode: ask")
    async with told(tmp_path, database_url, clock, asking) as story:
        await clock.advance(WEEK)
        await acted(story, 9, 1)
        assert (await mode(story))[0] == "ask"
        assert await told_people(story) == []
        await acted(story, 9, 1, number=4)
        assert (await mode(story))[0] == "shadow"
        assert len(await told_people(story)) == 1


async def test_what_could_not_be_verified_speaks_against_no_rule(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await clock.advance(WEEK)
        (rule,) = story.daemon.rules.rules()
        async with story.daemon.database.transaction() as connection:
            for each in range(20):
                at = day(3, 9) + each * MINUTE
                await Month(connection).acted(rule, at, 5, state="ESCALATED", helped_not=False)
        assert (await mode(story))[0] == "act"
