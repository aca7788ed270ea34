"""A refusal that a new plan could answer leads to one by itself, without Alertmanager saying the alert again."""

from pathlib import Path

from tests.stories.test_planning import all_episodes
from tests.support.clock import DrivenClock
from tests.support.standing_still import pause, resume
from tests.support.story import ALERT, ROLLBACK, TOKEN, Story, told

SETTLED = 11 * 60
"""Seconds: `settle` is ten minutes."""


async def planned_and_held(story: Story) -> str:
    """A run that has its plan, and is held because the alert was silenced after it was sent; the silence."""
    await story.bad_release()
    story.alertmanager.fire(ALERT)
    sent = story.alertmanager.notifications()
    silence = story.alertmanager.silence({"alertname": "HighErrorRate"})
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN, notifications=sent)
    await story.settle()
    assert (await story.run()).state == "PROPOSED"
    return silence


async def blocked(story: Story, sentence: str) -> None:
    (run,) = await story.runs()
    assert run.state == "BLOCKED", run.why
    assert sentence in (run.why or "")
    assert story.effects() == []


async def test_a_plan_whose_facts_changed_is_made_again_when_the_target_has_settled(story: Story) -> None:
    silence = await planned_and_held(story)
    story.emulator.patch("deployments", "shop", "api", {"spec": {"replicas": 3}}, user="somebody")
    await story.let(45)
    await blocked(story, "as_planned: since the plan was made 3 replicas are wanted")
    story.alertmanager.unsilence(silence)
    await story.let(8 * 60)
    await blocked(story, "as_planned")
    await story.let(SETTLED - 8 * 60)
    assert story.effects() == ["app:v1"]
    assert len(await story.runs()) == 2


async def test_an_edited_rule_with_a_run_in_flight_is_planned_by_as_it_reads_now(
    story: Story, tmp_path: Path
) -> None:
    silence = await planned_and_held(story)
    edited = ROLLBACK.replace("within: 45m", "within: 40m")
    (tmp_path / "rules" / "story.yaml").write_text(edited)
    await story.clock.advance(1)
    await story.daemon.rules.reload()
    await story.let(45)
    await blocked(story, "rule_in_force: rule bad-release was changed")
    story.alertmanager.unsilence(silence)
    await story.let(SETTLED)
    assert story.effects() == ["app:v1"]


async def test_after_a_pause_that_outlasted_the_run_another_is_made(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    engine = {"give_up_holding_after": "3m", "settle": "2m"}
    async with told(tmp_path, database_url, clock, settings={"engine": engine}) as story:
        await story.create("app:v1")
        name = await pause(story, "everything")
        await story.fire()
        await story.let(4 * 60, step=30)
        await blocked(story, "it did not become possible in")
        await resume(story, name)
        await story.let(2 * 60, step=30)
        assert len(await story.runs()) == 2


async def test_an_alert_said_again_before_the_target_has_settled_is_still_planned_again(story: Story) -> None:
    silence = await planned_and_held(story)
    story.emulator.patch("deployments", "shop", "api", {"spec": {"replicas": 3}}, user="somebody")
    await story.let(45)
    story.alertmanager.unsilence(silence)
    await story.deliver()
    (episode,) = await all_episodes(story)
    assert episode.disposition == "settling"
    await story.let(SETTLED)
    assert story.effects() == ["app:v1"]


async def test_a_refusal_that_no_new_plan_could_answer_is_not_planned_again(story: Story) -> None:
    await story.bad_release()
    story.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": None}}})
    await story.fire()
    await blocked(story, "has not opted in")
    await story.let(2 * SETTLED)
    await blocked(story, "has not opted in")
