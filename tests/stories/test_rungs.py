"""A rule with several rungs: the next one is tried only when the first is known not to have helped."""

from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.standing_still import pause, resume
from tests.support.story import ROLLBACK, told

LADDER = """
rules:
  - rule: hung
    mode: act
    match: ['{alertname="HighErrorRate"}']
    rungs:
      - actions: [restart]
        verifications:
          - promql: {query: error_ratio, below: 0.05, for: 1m, within: 3m}
      - actions: [rollback]
        verifications:
          - promql: {query: error_ratio, below: 0.05, for: 1m, within: 3m}
"""


async def test_a_restart_that_did_not_help_is_followed_by_the_rollback(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", lambda: 0.3 if story.image() == "app:v2" else 0.0)
        await story.fire()
        assert story.effects() == ["app:v2"]
        await story.let(10 * 60)
        assert story.effects() == ["app:v2", "app:v1"]
        assert (await story.run()).state == "RESOLVED"


async def test_the_restart_of_the_first_rung_is_not_taken_for_undone_by_the_second(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", lambda: 0.3 if story.image() == "app:v2" else 0.0)
        await story.fire()
        await story.let(15 * 60)
        assert (await story.run()).state == "RESOLVED"
        assert [each.text for each in await story.journal() if each.kind == "undone"] == []


async def test_a_later_rung_that_needs_a_person_is_handed_over_and_not_called_blocked(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        gone = {"metadata": {"annotations": {"remediator.io/rollback": None}}}
        story.emulator.patch("deployments", "shop", "api", gone)
        story.prometheus.answer("error_ratio", 0.3)
        await story.fire()
        await story.let(10 * 60)
        assert ((await story.run()).state, story.effects()) == ("CLEARED", ["app:v2"])
        await story.let(16 * 60, step=60)
        assert ((await story.run()).state, story.effects()) == ("ESCALATED", ["app:v2"])


@pytest.mark.parametrize(("they_come_back", "state"), [(True, "RESOLVED"), (False, "ESCALATED")])
async def test_pods_that_go_away_after_it_helped_are_waited_for_and_no_reason_for_the_next_rung(
    tmp_path: Path, database_url: str, clock: DrivenClock, they_come_back: bool, state: str
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK) as story:
        await story.bad_release()
        await story.fire()
        await story.let(6 * 60)
        assert story.effects() == ["app:v1"]
        story.unready()
        await story.resolve()
        await story.let(5 * 60)
        assert (await story.run()).state == "ACTED", "nobody calls it verified while no pod is ready"
        if they_come_back:
            story.unready("True")
        await story.let(40 * 60, step=60)
        assert (await story.run()).state == state


async def test_an_alert_that_comes_back_while_a_query_still_waits_is_not_resolved(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    slow = "      - promql: {query: error_ratio, below: 0.05, for: 1m, within: 20m}\n"
    async with told(tmp_path, database_url, clock, ROLLBACK + slow) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", 0.5)
        await story.fire()
        await story.resolve()
        await story.let(3 * 60)
        await story.fire()
        story.prometheus.answer("error_ratio", 0.0)
        await story.let(3 * 60)
        assert (await story.run()).state == "ACTED"
        await story.resolve()
        await story.let(3 * 60)
        assert (await story.run()).state == "RESOLVED"


async def test_a_later_rung_is_waited_for_as_long_as_the_first(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    patience = {"engine": {"give_up_holding_after": "4m"}}
    async with told(tmp_path, database_url, clock, LADDER, patience) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", lambda: 0.3 if story.image() == "app:v2" else 0.0)
        await story.fire()
        name = await pause(story, "namespace", "shop")
        await story.let(6 * 60)
        run = await story.run()
        assert (run.state, story.effects()) == ("PLANNED", ["app:v2"]), "the second rung waits for the pause"
        await resume(story, name)
        await story.let(5 * 60)
        assert ((await story.run()).state, story.effects()) == ("RESOLVED", ["app:v2", "app:v1"])


async def test_a_restart_that_helped_is_the_end(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", 0.0)
        await story.fire()
        await story.let(10 * 60)
        assert story.effects() == ["app:v2"]
        assert (await story.run()).state == "RESOLVED"


async def test_what_cannot_be_verified_does_not_lead_to_the_next_rung(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", float("nan"))
        await story.fire()
        await story.let(10 * 60)
        assert story.effects() == ["app:v2"]
        run = await story.run()
        assert run.state == "ESCALATED"
        assert "not verified" in (run.why or "")


async def test_the_last_rung_that_did_not_help_hands_over(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LADDER) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", 0.5)
        await story.fire()
        await story.let(15 * 60)
        assert story.effects() == ["app:v2", "app:v1"]
        run = await story.run()
        assert run.state == "ESCALATED"
        assert "it did not help" in (run.why or "")


async def test_whoever_takes_over_is_told_every_rung_and_what_came_of_it(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    looking = LADDER.replace("    rungs:", "    diagnostics: [pods, rollout_history]\n    rungs:")
    async with told(tmp_path, database_url, clock, looking) as story:
        await story.bad_release()
        story.prometheus.answer("error_ratio", 0.5)
        await story.fire()
        await story.let(15 * 60)
        assert (await story.run()).state == "ESCALATED"
        async with story.daemon.database.connection() as connection:
            (told_last,) = await connection.fetch("select payload from outbox where key like '%ending/%'")
        text = told_last["payload"]["text"]
        first, _, second = text.partition("Tried 2: ")
        assert "Tried 1: restart at 12:39 (applied): it did not help" in first
        assert second.startswith("rollback at 12:4")
        assert "Somebody has to take over" in second
        looks = [each for each in await story.journal() if each.text.startswith("pods: ")]
        assert len(looks) == 2, "each rung looks before it acts"
        plans = [each.text for each in await story.journal() if each.kind == "proposed"]
        assert len(plans) == len(set(plans)) == 2, "each rung has a plan of its own"
