"""What a run changed is taken back because a person says so, and nothing does it again by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from remediator.domain.target import Target
from remediator.store import breakers
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import RESTART, ROLLBACK, Story, deployment, told
from tests.support.terminal import ROLES, Terminal

UNDO = ("runs", "undo", "1", "--why", "v2 is needed for the migration")
RELEASE = {"app.kubernetes.io/instance": "shop"}
LEFT = "remediator.io/rolled-back-from"


@pytest.fixture
async def kim(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """Kim, and a daemon whose rule rolls back."""
    async with told(tmp_path, database_url, clock, ROLLBACK, people(tmp_path, **ROLES)) as story:
        yield Terminal(story, tmp_path / "kim", capsys)


async def rolled_back(story: Story, *, resolved: bool = True) -> None:
    """v0 and v1 have soaked, v2 was bad and run 1 has just gone back to v1."""
    for image in ("app:v0", "app:v1"):
        if story.emulator.get("deployments", "shop", "api") is None:
            await story.create(image)
        else:
            story.release(image)
        await story.let(35 * 60, step=45)
    story.release("app:v2")
    await story.let(4 * 60, step=30)
    await story.fire()
    if resolved:
        await story.resolve()
        await story.let(2 * 60, step=30)


def annotation(story: Story, name: str) -> str | None:
    found = story.emulator.get("deployments", "shop", "api")
    assert found is not None
    value: str | None = found["metadata"]["annotations"].get(name)
    return value


async def agree(kim: Terminal, run_id: int) -> None:
    """Who asked for an undoing has seen what it would do, and agrees."""
    await kim.story.settle()
    shown = await kim.reads("runs", "approve", str(run_id), "--yes")
    assert "undo run" in shown
    await kim.story.settle()


async def failed_runs(story: Story) -> list[int]:
    """The runs that count towards opening the target's breaker."""
    api = Target(cluster="default", kind="deployment", namespace="shop", name="api")
    async with story.daemon.database.connection() as connection:
        state = await breakers.of_target(connection, api, story.daemon.settings.breakers)
    return [each.run_id for each in state.failures]


async def image_is_refused(kim: Terminal, image: str) -> bool:
    status, _, error = await kim.type("target", "check", "deployment/shop/api", "--image", image)
    assert status in (0, 1), error
    return status == 1


async def test_an_undone_rollback_is_not_followed_by_another_one(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    assert (await story.run()).state == "RESOLVED"
    assert annotation(story, LEFT)
    assert await image_is_refused(kim, "app:v2")
    said = await kim.shows(*UNDO)
    assert "run 2 would undo run 1: `remediator runs approve 2` shows exactly what would be put back" in said
    await story.settle()
    assert story.effects() == ["app:v1"], "a return to a named version takes a person's yes to the very plan"
    await agree(kim, 2)
    assert story.effects() == ["app:v1", "app:v2"]
    assert annotation(story, LEFT) is None
    assert not await image_is_refused(kim, "app:v2")
    await story.let(60)
    assert (await story.run()).state == "RESOLVED"
    told_of_it = await kim.reads("runs", "show", "2")
    assert "undoes run 1 in mode act, asked for by kim: v2 is needed for the migration" in told_of_it
    assert "kim asked to undo this, which is run 2" in await kim.reads("runs", "show", "1")
    assert not any(each.kind == "undone" for each in await story.journal()), "our own doing is no news"
    await story.let(11 * 60, step=60)
    await story.fire()
    run = await story.run()
    assert (run.state, run.undo_of) == ("BLOCKED", None)
    for reason in (
        "already made in the last 24 hours",
        "a person put this version back in the last 24 hours",
    ):
        assert reason in (run.why or "")
    assert story.effects() == ["app:v1", "app:v2"]


async def test_nor_is_another_earlier_version_gone_back_to(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    await story.let(12 * 60, step=60)
    await kim.shows(*UNDO)
    await agree(kim, 2)
    await story.let(60)
    for each in story.emulator.list("replicasets", "shop"):
        if each["spec"]["template"]["spec"]["containers"][0]["image"] == "app:v1":
            story.emulator.delete("replicasets", "shop", each["metadata"]["name"])
    await story.let(11 * 60, step=60)
    await story.fire()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert run.why == (
        "ping_pong: a person put this version back in the last 24 hours, by undoing what was done about it"
    ), "app:v0 would be good, and neither this pair nor a return"
    assert story.effects() == ["app:v1", "app:v2"]


async def test_an_undoing_can_be_undone_and_marks_what_was_left_again(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    left = annotation(story, LEFT)
    await kim.shows(*UNDO)
    await agree(kim, 2)
    await story.let(60)
    assert "run 2 has undone run 1 already" in await kim.fails(*UNDO)
    await kim.shows("runs", "undo", "2", "--why", "no, it was bad after all")
    await story.let(60)
    assert "budget" in ((await story.run()).why or ""), "two changes in ten minutes are a namespace's share"
    await story.let(10 * 60, step=60)
    await agree(kim, 3)
    await story.let(60)
    assert story.effects() == ["app:v1", "app:v2", "app:v1"]
    assert annotation(story, LEFT) == left
    assert await image_is_refused(kim, "app:v2")
    assert [each.state for each in await story.runs()] == ["RESOLVED"] * 3


async def test_what_somebody_has_changed_since_is_not_taken_back(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    story.release("app:v3")
    await story.let(30)
    await kim.shows(*UNDO)
    await story.settle()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "superseded: kubectl changed deployment/shop/api at" in (run.why or "")
    assert story.image() == "app:v3"


async def test_a_restart_since_is_no_reason_not_to(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    story.restart()
    await story.let(60)
    await kim.shows(*UNDO)
    await agree(kim, 2)
    assert story.effects() == ["app:v1", "app:v2"]


async def test_a_run_that_waits_for_its_alert_to_clear_is_ended_by_undoing_it(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story, resolved=False)
    await story.let(60)
    assert (await story.run()).state == "ACTED"
    await kim.shows(*UNDO)
    await agree(kim, 2)
    await story.let(60)
    assert [(each.state, each.undo_of) for each in await story.runs()] == [
        ("ESCALATED", None),
        ("RESOLVED", 1),
    ]
    assert story.effects() == ["app:v1", "app:v2"]
    await story.let(45 * 60, step=60)
    assert story.effects() == ["app:v1", "app:v2"], "the alert still fires, and nothing follows"
    assert await failed_runs(story) == []


@pytest.mark.parametrize("undone", [True, False])
async def test_an_alert_that_comes_back_after_an_undoing_is_nobodys_failure(
    kim: Terminal, undone: bool
) -> None:
    story = kim.story
    await rolled_back(story)
    if undone:
        await kim.shows(*UNDO)
        await agree(kim, 2)
        await story.let(60)
    await story.fire()
    assert await failed_runs(story) == ([] if undone else [1])


async def test_a_pause_holds_an_undoing_too(kim: Terminal) -> None:
    story = kim.story
    await rolled_back(story)
    await kim.shows("pause", "--why", "everybody hands off")
    await kim.shows(*UNDO)
    await story.let(60)
    assert "a pause covers this target" in (await kim.json("runs", "show", "2"))["run"]["why"]
    assert story.effects() == ["app:v1"]
    await kim.shows("resume", "1", "--why", "over")
    await story.let(60)
    await agree(kim, 2)
    assert story.effects() == ["app:v1", "app:v2"]


@pytest.mark.parametrize("since", [False, True], ids=["before the rollback", "since the rollback"])
async def test_what_was_released_or_migrated_since_the_rollback_is_said_to_who_undoes_it(
    kim: Terminal, since: bool
) -> None:
    story = kim.story
    await rolled_back(story)
    release: dict[str, Any] = {"metadata": {"labels": RELEASE}}
    story.emulator.patch("deployments", "shop", "api", release, user="somebody", manager="kubectl-label")
    worker = deployment("worker:v2")
    worker["metadata"].update(name="worker", labels=RELEASE)
    worker["spec"]["selector"]["matchLabels"] = {"app": "worker"}
    worker["spec"]["template"]["metadata"]["labels"] = {"app": "worker"}
    made_at = story.clock.now()
    if not since:
        made_at -= timedelta(minutes=5)
    ended = {"type": "Complete", "status": "True", "lastTransitionTime": made_at.isoformat()}
    migrate = {"metadata": {"name": "migrate", "namespace": "shop", "labels": RELEASE}, "kind": "Job"}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "m"}]}}}
    status = {"conditions": [ended]}
    story.emulator.create({"apiVersion": "batch/v1", **migrate, "spec": spec, "status": status})
    if since:
        story.emulator.create(worker)
        await story.let(60)
    await kim.shows(*UNDO)
    await story.settle()
    asked = (await story.run()).why or ""
    assert ("deployment/worker got a new version since the change to undo" in asked) is since
    assert ("Job migrate has run since it was replaced" in asked) is since
    await agree(kim, 2)
    assert story.effects() == ["app:v1", "app:v2"], "who was told of it may agree"


async def test_of_a_restart_there_is_nothing_to_undo(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock, RESTART, people(tmp_path, **ROLES)) as story:
        kim = Terminal(story, tmp_path / "kim", capsys)
        await story.create("app:v1")
        await story.let(60)
        await story.fire()
        await story.resolve()
        await story.let(3 * 60)
        assert (await story.run()).state == "RESOLVED"
        assert "run 1: nothing to undo: it only restarted pods" in await kim.fails(*UNDO)
        assert "there is no run 7" in await kim.fails("runs", "undo", "7", "--why", "slip")
