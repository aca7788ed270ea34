"""From notices to runs: repeats, disorder, truncation, several alerts and several rules for one problem."""

import asyncio
from pathlib import Path

from remediator.store import episodes
from remediator.store.episodes import Episode
from tests.support.clock import DrivenClock
from tests.support.story import ALERT, ROLLBACK, TOKEN, Story, told

RESTART_CRASHING = """
  - rule: restart-crashing
    mode: act
    priority: 50
    match: ['{alertname="CrashLooping"}']
    actions: [restart]
    verifications: [alert_cleared]
"""
TWO_RULES = f"""
rules:
{RESTART_CRASHING}
  - rule: bad-release
    mode: act
    priority: 10
    wait: 1m
    match: ['{{alertname="HighErrorRate"}}']
    actions: [rollback]
    verifications: [rollout_complete, alert_cleared]
"""


async def all_episodes(story: Story) -> list[Episode]:
    async with story.daemon.database.connection() as connection:
        return [each for each in await episodes.recent(connection) if each.alertname != "Watchdog"]


async def test_the_same_notice_many_times_is_one_episode_and_one_run(story: Story) -> None:
    await story.bad_release()
    await story.fire()
    for _ in range(20):
        await story.deliver()
    assert len(await all_episodes(story)) == 1
    assert len(await story.runs()) == 1
    assert story.effects() == ["app:v1"]


async def test_two_peers_with_different_starts_are_one_episode(story: Story) -> None:
    await story.bad_release()
    first = story.clock.now()
    story.alertmanager.fire(ALERT, starts_at=first)
    one = story.alertmanager.notifications()
    await story.clock.advance(20)
    story.alertmanager.fire(ALERT, starts_at=story.clock.now())
    other = story.alertmanager.notifications()
    for sent in (one, other, one):
        await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN, notifications=sent)
        await story.settle()
    assert len(await all_episodes(story)) == 1
    assert len(await story.runs()) == 1


async def test_resolved_before_firing_opens_nothing(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.fire(ALERT)
    firing = story.alertmanager.notifications()
    await story.clock.advance(30)
    story.alertmanager.resolve(ALERT)
    resolved = story.alertmanager.notifications()
    for sent in (resolved, firing):
        await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN, notifications=sent)
        await story.settle()
    assert [each.closed_because for each in await all_episodes(story)] == ["resolved"]
    assert await story.runs() == []


async def test_alerts_cut_from_a_truncated_group_are_fetched(story: Story) -> None:
    await story.bad_release()
    for number in range(5):
        story.alertmanager.fire({**ALERT, "pod": f"api-{number}"})
    sent = story.alertmanager.notifications(max_alerts=2)
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN, notifications=sent)
    await story.settle()
    assert len(await all_episodes(story)) == 5
    assert len(await story.runs()) == 1


async def test_a_truncated_group_that_says_resolved_closes_nothing_that_was_cut(story: Story) -> None:
    await story.bad_release()
    for number in range(4):
        story.alertmanager.fire({**ALERT, "pod": f"api-{number}"})
    await story.deliver()
    for number in range(2):
        story.alertmanager.resolve({**ALERT, "pod": f"api-{number}"})
    sent = story.alertmanager.notifications(max_alerts=2)
    assert b'"status":"resolved"' in sent[-1].body
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN, notifications=sent)
    await story.settle()
    still_open = [each.labels["pod"] for each in await all_episodes(story) if each.closed_at is None]
    assert sorted(still_open) == ["api-2", "api-3"]


async def test_several_alerts_of_one_problem_are_one_incident_with_one_plan(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, TWO_RULES) as story:
        await story.bad_release()
        await story.fire()
        await story.clock.advance(10)
        await story.fire(alertname="CrashLooping")
        await story.let(90)
        runs = await story.runs()
        assert [(each.rule, each.state) for each in runs] == [("bad-release", "ACTED")]
        assert story.effects() == ["app:v1"]
        assert len({each.incident_id for each in await all_episodes(story)}) == 1


async def test_an_alert_that_rules_only_watch_is_no_part_of_the_run_that_acts(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    watched = TWO_RULES.replace("mode: act", "mode: shadow", 1)
    async with told(tmp_path, database_url, clock, watched) as story:
        await story.bad_release()
        story.alertmanager.fire(ALERT)
        story.alertmanager.fire({**ALERT, "alertname": "CrashLooping"})
        await story.deliver()
        await story.let(3 * 60)
        await story.resolve()
        await story.let(3 * 60)
        found = {each.alertname: (each.disposition, each.run_id) for each in await all_episodes(story)}
        acting = next(each for each in await story.runs() if each.mode == "act")
        assert found["HighErrorRate"] == ("planned", acting.id)
        assert found["CrashLooping"] == ("shadowed", None)
        assert (acting.state, story.effects()) == ("RESOLVED", ["app:v1"])


async def test_an_alert_that_heals_within_wait_leads_to_no_run(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, TWO_RULES) as story:
        await story.bad_release()
        await story.fire()
        await story.let(30)
        await story.resolve()
        await story.let(120)
        assert await story.runs() == []


async def test_alerts_of_one_target_planned_at_the_same_moment_are_one_run(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, TWO_RULES) as story:
        await story.create("app:v1")
        for number in range(20):
            story.alertmanager.fire({**ALERT, "shard": str(number)})
        await story.deliver()
        assert {each.disposition for each in await all_episodes(story)} == {"waiting"}
        await story.clock.advance(60)

        async def plan() -> None:
            while await story.daemon.planner.tick():
                pass

        await asyncio.gather(*(plan() for _ in range(4)))
        assert len(await story.runs()) == 1
        planned = [each.disposition for each in await all_episodes(story)]
        assert sorted(map(str, planned)) == ["joined"] * 19 + ["planned"]


async def test_an_alert_without_target_is_an_incident_people_see(story: Story) -> None:
    await story.create("app:v1")
    await story.fire(deployment="")
    (episode,) = await all_episodes(story)
    assert episode.disposition == "no_target"
    assert "names no workload" in (episode.why or "")
    assert episode.incident_id is not None


async def test_an_alert_no_rule_matches_is_recorded_as_such(story: Story) -> None:
    await story.create("app:v1")
    await story.fire(alertname="Something")
    (episode,) = await all_episodes(story)
    assert (episode.disposition, episode.incident_id) == ("no_rule", None)


async def test_nothing_new_is_planned_on_a_target_before_it_has_settled(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK + RESTART_CRASHING) as story:
        await story.bad_release()
        await story.fire()
        await story.resolve()
        await story.let(3 * 60)
        assert [each.state for each in await story.runs()] == ["RESOLVED"]
        await story.fire(alertname="CrashLooping")
        await story.let(5 * 60)
        assert len(await story.runs()) == 1
        await story.let(6 * 60)
        assert [each.rule for each in await story.runs()] == ["bad-release", "restart-crashing"]


async def test_an_alert_alertmanager_forgot_is_closed_and_its_incident_too(story: Story) -> None:
    await story.create("app:v1")
    await story.fire()
    story.alertmanager.silence({"alertname": "HighErrorRate"})
    story.alertmanager.resolve(ALERT)
    await story.let(10 * 60)
    (episode,) = await all_episodes(story)
    assert episode.closed_because == "vanished"
