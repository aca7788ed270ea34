"""Somebody puts the bad release back: one rollback, then people, told who did it and what to revert."""

from typing import Any

from tests.support.story import ALERT, Story


async def rolled_back(story: Story) -> None:
    """v2 was rolled back from, and the alert goes on."""
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]


def deploy(story: Story, image: str = "app:v2") -> None:
    """The pipeline applies what it has."""
    spec: dict[str, Any] = {"containers": [{"name": "app", "image": image}]}
    patch = {"spec": {"template": {"spec": spec}}}
    story.emulator.patch("deployments", "shop", "api", patch, user="cd", manager="continuous-delivery")


async def test_a_pipeline_that_applies_every_minute_is_met_once(story: Story) -> None:
    await rolled_back(story)
    for _ in range(90):
        deploy(story)
        await story.let(60, step=30)
    assert story.effects() == ["app:v1"]
    first, *later = await story.runs()
    assert first.state == "ESCALATED"
    assert first.why is not None
    assert first.why.startswith("continuous-delivery put revision 2 (app:v2) back at 12:")
    assert (
        "revert revision 2 (app:v2) -> revision 1 (app:v1) where continuous-delivery takes it from"
        in first.why
    )
    assert {each.state for each in later} <= {"BLOCKED", "PROPOSED", "PLANNED", "DIAGNOSED"}


async def test_a_revert_five_seconds_later_is_noticed_at_the_next_look(story: Story) -> None:
    await rolled_back(story)
    await story.clock.advance(5)
    deploy(story)
    await story.let(15)
    assert (await story.run()).state == "ESCALATED"
    assert "continuous-delivery put revision" in ((await story.run()).why or "")


async def test_a_new_release_meanwhile_is_peoples_and_not_a_failed_rollback(story: Story) -> None:
    await rolled_back(story)
    deploy(story, "app:v3")
    await story.let(15)
    run = await story.run()
    assert run.state == "ESCALATED"
    assert "continuous-delivery changed the template to something else" in (run.why or "")


async def test_a_restart_of_the_version_that_was_set_changes_nothing_about_it(story: Story) -> None:
    await rolled_back(story)
    await story.let(30)
    story.restart()
    await story.let(60)
    assert (await story.run()).state == "ACTED"
    await story.resolve()
    await story.let(3 * 60)
    assert (await story.run()).state == "RESOLVED"


async def test_a_version_that_comes_back_after_the_run_has_ended_is_told_once(story: Story) -> None:
    await rolled_back(story)
    await story.let(60)
    await story.resolve()
    await story.let(2 * 60)
    assert (await story.run()).state == "RESOLVED"
    deploy(story)
    await story.let(2 * 60)
    told = [each for each in await story.journal() if each.kind == "undone"]
    assert [each.text.partition(" back at")[0] for each in told] == [
        "continuous-delivery put revision 2 (app:v2)"
    ]
    events = [each for each in story.emulator.list("events", "shop") if "[UNDONE]" in each["message"]]
    assert len(events) == 1
    assert story.effects() == ["app:v1"]


async def test_the_next_run_says_who_put_it_back(story: Story) -> None:
    await rolled_back(story)
    await story.let(60)
    await story.resolve()
    await story.let(2 * 60)
    await story.let(11 * 60, step=45)
    deploy(story)
    await story.let(2 * 60)
    story.alertmanager.fire(ALERT)
    await story.deliver()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "ping_pong: continuous-delivery put revision 4 (app:v2) back at" in (run.why or "")
    assert story.effects() == ["app:v1"]
