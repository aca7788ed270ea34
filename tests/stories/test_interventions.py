"""People end runs before they change anything, and say what became of a change that nobody could see."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import Action, AnswerStatus, ApplyThenDrop, DropBeforeApplying
from remediator.sandbox.kubernetes.request import Call
from remediator.store import attempts
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import RESTART, Story, told
from tests.support.terminal import ROLES, Terminal

LIMITED = RESTART.replace("actions:", "guards: [{limit: {effects: 1, per: 6h, of: target}}]\n    actions:")


@pytest.fixture
async def kim(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """Kim, and a daemon whose rule restarts a target at most once in six hours."""
    async with told(tmp_path, database_url, clock, LIMITED, people(tmp_path, **ROLES)) as story:
        await story.create("app:v1")
        yield Terminal(story, tmp_path / "kim", capsys)


async def unknown(story: Story, sent: Action) -> None:
    """A restart is sent, its answer is lost and the workload cannot be read for more than ten minutes."""

    def is_the_effect(call: Call, user: str) -> bool:
        return b"remediator.io~1attempt" in call.body and "dryRun" not in call.query

    effect = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", sent, when=is_the_effect))

    def afterwards(call: Call, user: str) -> bool:
        return user == "remediator" and effect.hits > 0

    story.emulator.faults.add(
        Fault("GET", "/deployments/api$", AnswerStatus(500), when=afterwards, times=None)
    )
    await story.fire()
    await story.let(12 * 60, step=30)
    story.emulator.faults.clear()
    assert (await story.run()).state == "UNKNOWN"


async def outcomes(story: Story, run_id: int) -> list[str | None]:
    async with story.daemon.database.connection() as connection:
        return [each.outcome for each in await attempts.of_run(connection, run_id)]


async def test_a_run_that_has_changed_nothing_is_cancelled_and_its_target_is_free(kim: Terminal) -> None:
    story = kim.story
    await kim.shows("pause", "--why", "release day")
    await story.fire()
    assert (await story.run()).state == "PLANNED"
    said = await kim.shows("runs", "cancel", "1", "--why", "we are on it")
    assert "run 1 is cancelled before it changed anything more" in said
    await kim.shows("resume", "1", "--why", "over")
    await story.let(60)
    run = await story.run()
    assert (run.state, run.why) == ("CANCELLED", "kim cancelled it: we are on it")
    assert story.effects() == []
    assert "CANCELLED" in await kim.reads("runs", "show", "1")
    assert "kim cancelled it: we are on it" in await kim.reads("incidents", "show", "1")
    assert "run 1 is CANCELLED" in await kim.fails("runs", "cancel", "1", "--why", "again")
    assert "there is no run 9" in await kim.fails("runs", "cancel", "9", "--why", "slip")
    await story.let(10 * 60, step=60)
    await story.deliver()
    await story.fire()
    await story.let(30)
    assert [each.state for each in await story.runs()] == ["CANCELLED", "ACTED"]


async def test_what_was_changed_already_is_not_cancelled_but_undone(kim: Terminal) -> None:
    story = kim.story
    await story.fire()
    assert (await story.run()).state == "ACTED"
    said = await kim.fails("runs", "cancel", "1", "--why", "too late")
    assert "run 1 has changed its target already" in said
    assert "remediator runs undo 1" in said


async def test_a_change_that_was_made_is_settled_and_keeps_its_place_in_every_limit(kim: Terminal) -> None:
    story = kim.story
    await unknown(story, ApplyThenDrop())
    assert "run 1, which is UNKNOWN, holds" in await kim.fails(
        "runs", "start", "hung", "--target", "deployment/shop/api", "--why", "x"
    )
    cancelled = await kim.fails("runs", "cancel", "1", "--why", "x")
    assert "run 1 is UNKNOWN" in cancelled
    assert "remediator runs settle 1 --applied" in cancelled
    said = await kim.shows("runs", "settle", "1", "--applied", "--why", "its annotation names 1/0/0")
    assert "a new one may be planned on its target in 10m" in said
    assert await outcomes(story, 1) == ["applied"]
    run = await story.run()
    why = "settled: kim says that it was made: its annotation names 1/0/0"
    assert (run.state, run.why) == ("ESCALATED", why)
    assert why in await kim.reads("runs", "show", "1")
    assert "run 1 is ESCALATED" in await kim.fails("runs", "settle", "1", "--applied", "--why", "again")
    await story.let(11 * 60, step=60)
    await story.deliver()
    await story.let(60)
    second = await story.run()
    assert (second.id, second.state) == (2, "PROPOSED")
    assert "the limit of 1 effects per 6h of target is reached" in (second.why or "")


async def test_a_change_that_was_not_made_gives_its_place_in_every_limit_back(kim: Terminal) -> None:
    story = kim.story
    await unknown(story, DropBeforeApplying())
    await kim.shows("runs", "settle", "1", "--not-applied", "--why", "no annotation, no new pods")
    assert await outcomes(story, 1) == ["not_applied"]
    await story.let(11 * 60, step=60)
    await story.deliver()
    await story.let(60)
    assert [each.state for each in await story.runs()] == ["ESCALATED", "ACTED"]
    assert len(story.effects()) == 1
