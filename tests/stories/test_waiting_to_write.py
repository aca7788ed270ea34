"""Between a yes and the write: what is in the way is waited for, not for ever, and people may still stop it."""

from pathlib import Path

import pytest

from remediator.people.principal import Principal
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus, DropBeforeApplying
from remediator.store import approvals, attempts
from tests.stories.test_approvals import ROLES, Asked, another_daemon, asked
from tests.stories.test_writes_under_faults import is_a_claim, is_a_rehearsal, is_the_effect
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ROLLBACK, Story, told

__all__ = ["asked"]

REFUSING = {"claim": is_a_claim, "rehearsal": is_a_rehearsal}


async def outcomes(story: Story) -> list[tuple[str | None, str | None]]:
    async with story.daemon.database.connection() as connection:
        return [(each.outcome, each.outcome_why) for each in await attempts.of_run(connection, 1)]


@pytest.mark.parametrize("refusing", REFUSING)
async def test_an_admission_that_is_down_is_tried_calmly_and_given_up(
    tmp_path: Path, database_url: str, clock: DrivenClock, refusing: str
) -> None:
    """A webhook with failurePolicy Fail whose server is gone."""
    engine = {"engine": {"give_up_holding_after": "5m"}}
    async with told(tmp_path, database_url, clock, ROLLBACK, engine) as story:
        await story.bad_release()
        down = AnswerStatus(500, "InternalError", 'failed calling webhook "x"')
        laid = story.emulator.faults.add(
            Fault("PATCH", "/deployments/api$", down, when=REFUSING[refusing], times=None)
        )
        await story.fire()
        await story.let(4 * 60, step=5)
        run = await story.run()
        assert run.state == "APPROVED"
        hold = story.daemon.settings.engine.hold.total_seconds()
        assert 2 <= laid.hits <= 4 * 60 / hold + 1
        await story.let(2 * 60)
        run = await story.run()
        assert run.state == "BLOCKED"
        assert "it did not become possible in 3" in (run.why or ""), run.why
        assert f"{refusing}: " in (run.why or "")
        assert (await outcomes(story), story.effects()) == ([], [])


async def sent_in_vain(asked: Asked) -> Story:
    """Kim has agreed, and the first request was lost on its way."""
    story = asked.story
    lost = story.emulator.faults.add(
        Fault("PATCH", "/deployments/api$", DropBeforeApplying(), when=is_the_effect)
    )
    assert (await asked.kim.approve(1)).status == 200
    await story.settle()
    assert (lost.hits, await outcomes(story)) == (1, [(None, None)])
    return story


async def test_whoever_agreed_and_lost_the_role_stops_the_second_send(
    asked: Asked, clock: DrivenClock, tmp_path: Path
) -> None:
    story = await sent_in_vain(asked)
    fewer = people(tmp_path, **{**ROLES, "kim": ("view",)})
    async with another_daemon(story, clock, **fewer):
        await story.let(60)
        why = "kim, who agreed, lacks the role approve now"
        assert await outcomes(story) == [("not_applied", why)]
        run = await story.run()
        assert (run.state, run.why, story.effects()) == ("BLOCKED", why, [])


async def test_a_no_that_came_meanwhile_stops_the_second_send(asked: Asked) -> None:
    story = await sent_in_vain(asked)
    async with story.daemon.database.transaction() as connection:
        request = await approvals.open_request(connection, 1, lock=True)
        assert request is not None
        sam = Principal(name="sam", proof="token")
        await approvals.answer(connection, request, sam, yes=False, why="wait for me")
    await story.let(60)
    why = "sam said no: wait for me"
    assert await outcomes(story) == [("not_applied", why)]
    run = await story.run()
    assert (run.state, run.why, story.effects()) == ("DECLINED", why, [])


async def test_everybody_who_still_agrees_lets_it_be_sent_again(asked: Asked) -> None:
    story = await sent_in_vain(asked)
    await story.let(60)
    assert story.effects() == ["app:v1"]
    assert [outcome for outcome, _ in await outcomes(story)] == ["applied"]
