"""Moments in which nothing was available, between two looks of the memory, break a version's soak."""

from tests.support.story import Story


def _readiness(story: Story, status: str) -> None:
    """The kubelet finds every pod ready, or none."""
    stamp = story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    for pod in story.emulator.list("pods", "shop"):
        conditions = [
            {**each, "status": status, "lastTransitionTime": stamp}
            if each["type"] in ("Ready", "ContainersReady")
            else each
            for each in pod["status"]["conditions"]
        ]
        name = pod["metadata"]["name"]
        changed = {"status": {"conditions": conditions}}
        story.emulator.patch("pods", "shop", name, changed, user="kubelet", subresource="status")


async def _down_for(story: Story, seconds: float) -> None:
    _readiness(story, "False")
    await story.clock.advance(seconds)
    await story.emulator.catch_up()
    found = story.emulator.get("deployments", "shop", "api")
    assert found is not None
    assert not found["status"].get("availableReplicas")
    _readiness(story, "True")
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
    assert (await story.run()).state == "BLOCKED"
    assert story.effects() == []


async def test_after_that_it_soaks_anew(story: Story) -> None:
    await story.create("app:v1")
    await _down_for(story, 5)
    await story.let(35 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"]
