"""The main job: an alert becomes a verified rollback, once, and only when a rollout caused it."""

import pytest

from tests.support.story import Story

HOUR = 3600.0


async def soaked(story: Story, image: str = "app:v1") -> None:
    """A first version that the memory has seen available for more than the soak time."""
    await story.create(image)
    await story.soak(35 * 60)


@pytest.mark.parametrize("image", ["app:v2", "app:crash-v2", "app:missing-v2", "app:never-ready-v2"])
async def test_a_bad_release_is_rolled_back_and_the_run_ends_resolved(story: Story, image: str) -> None:
    await soaked(story)
    story.release(image)
    await story.let(4 * 60)
    await story.fire()
    assert (await story.run()).state == "ACTED"
    assert story.image() == "app:v1"
    await story.let(60)
    await story.resolve()
    await story.let(2 * 60)
    assert (await story.run()).state == "RESOLVED"
    assert story.effects() == ["app:v1"]


async def test_with_the_version_before_bad_as_well_the_one_before_that_is_chosen(story: Story) -> None:
    await soaked(story)
    story.release("app:crash-v2")
    await story.soak(35 * 60)
    story.release("app:crash-v3")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]


async def test_a_version_in_whose_time_the_alert_began_is_not_gone_back_to(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(12 * 60)
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    # Nothing may act on this first one: the team watches, and it heals.
    story.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": "no"}}})
    await story.deliver()
    story.alertmanager.resolve({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    await story.deliver()
    story.emulator.patch(
        "namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": "true"}}}
    )
    await story.let(60 * 60)
    story.release("app:v3")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]


async def test_undoing_twice_cannot_return_to_the_bad_release(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    await story.resolve()
    await story.let(30 * 60)
    assert (await story.run()).state == "RESOLVED"
    await story.fire()
    await story.let(2 * HOUR)
    assert story.effects() == ["app:v1"]
    assert (await story.run()).state == "BLOCKED"
    assert story.image() == "app:v1"


async def test_a_hotfix_rolled_out_after_the_alert_is_left_alone(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    await story.let(30)
    story.release("app:v3-hotfix")
    await story.let(30)
    await story.deliver()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "somebody's fix" in (run.why or "")
    assert story.effects() == []


async def test_somebody_elses_undo_after_the_alert_is_a_fix_too(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(40 * 60)
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    await story.let(5)
    story.release("app:v1")
    await story.let(15)
    await story.deliver()
    assert (await story.run()).state == "BLOCKED"
    assert story.effects() == []


async def test_a_restart_between_two_releases_is_not_taken_for_a_release(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(2 * 60)
    story.restart()
    await story.let(2 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]


async def test_a_windowed_alert_that_fires_on_for_half_an_hour_leads_to_no_second_action(
    story: Story,
) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    for _ in range(6):
        await story.let(5 * 60)
        await story.deliver()
    assert story.effects() == ["app:v1"]
    assert (await story.run()).state == "ACTED"
    await story.resolve()
    await story.let(3 * 60)
    assert [each.state for each in await story.runs()] == ["RESOLVED"]


async def test_an_alert_that_never_clears_is_handed_over_and_not_acted_on_again(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    await story.let(50 * 60)
    assert (await story.run()).state == "ESCALATED"
    await story.let(20 * 60)
    await story.deliver()
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_an_old_release_is_not_blamed(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(2 * HOUR)
    await story.fire()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "not the likely cause" in (run.why or "")
    assert story.effects() == []


async def test_what_was_never_seen_available_long_enough_needs_a_person(story: Story) -> None:
    await story.create("app:v1")
    await story.let(5 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert (await story.run()).state == "BLOCKED"
    assert story.effects() == []


async def test_without_the_teams_word_a_person_has_to_agree(story: Story) -> None:
    await soaked(story)
    gone = {"metadata": {"annotations": {"remediator.io/rollback": None}}}
    story.emulator.patch("deployments", "shop", "api", gone)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    run = await story.run()
    assert run.state == "CLEARED"
    assert "a person must agree" in (run.why or "")
    assert story.effects() == []


async def test_an_alert_quicker_than_our_memory_waits_for_it(story: Story) -> None:
    await soaked(story)
    story.release("app:missing-v2")
    await story.clock.advance(5)
    await story.fire()
    run = await story.run()
    assert run.state == "DIAGNOSED"
    assert "memory has not seen" in (run.why or "")
    await story.let(60)
    assert story.effects() == ["app:v1"]
