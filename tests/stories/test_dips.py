"""Moments in which nothing was available, between two looks of the memory, break a version's soak."""

from tests.support.story import Story


async def _down_for(story: Story, seconds: float) -> None:
    story.unready()
    await story.clock.advance(seconds)
    await story.emulator.catch_up()
    found = story.emulator.get("deployments", "shop", "api")
    assert found is not None
    assert not found["status"].get("availableReplicas")
    story.unready("True")
    await story.clock.advance(1)
    await story.emulator.catch_up()


async def test_a_version_that_was_down_between_two_looks_has_not_soaked(story: Story) -> None:
    await story.create("app:v1")
    await story.let(20 * 60)
    await _down_for(story, 5)
    await story.let(20 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert (await story.run()).state == "CLEARED"
    assert story.effects() == []


async def test_after_that_it_soaks_anew(story: Story) -> None:
    await story.create("app:v1")
    await _down_for(story, 5)
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]
