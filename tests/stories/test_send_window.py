"""What was not sent within two seconds of a pause is not sent, wherever the pause finds the run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import Action, DropBeforeApplying, Exchange, Reply
from remediator.sandbox.kubernetes.request import Call
from remediator.store import attempts
from remediator.store.attempts import Attempt
from tests.support.standing_still import annotate, ask, pause, resume, the_pause
from tests.support.story import Story

Deed = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Meanwhile(Action):
    """Something happens while the request is on its way; then it is answered as usual."""

    deed: Deed

    async def play(self, exchange: Exchange) -> Reply:
        await self.deed()
        return exchange.apply()


def is_the_effect(call: Call, user: str) -> bool:
    return b"remediator.io~1attempt" in call.body and "dryRun" not in call.query


def meanwhile(story: Story, moment: str, deed: Deed) -> None:
    """`deed` is done once, at this moment on the way of the change."""
    done: list[str] = []

    async def once() -> None:
        intended = bool(await made(story))
        if not done and intended == (moment == "between intent and write"):
            done.append(moment)
            await deed()

    if moment == "between guards and claim":
        # The first question after the guards of the plan were asked: the newest look before the claim.
        story.emulator.faults.add(
            Fault("GET", "/namespaces/shop$", Meanwhile(once), times=None, when=approved(story))
        )
    elif moment == "between claim and intent":
        rehearsal = Fault(
            "PATCH", "/deployments/api$", Meanwhile(once), when=lambda call, _: "dryRun" in call.query
        )
        story.emulator.faults.add(rehearsal)
    else:
        story.emulator.faults.add(Fault("GET", "/namespaces/shop$", Meanwhile(once), times=None))


def approved(story: Story) -> Callable[[Call, str], bool]:
    """After so many looks at the namespace as stages before APPROVED take."""
    looks: list[Call] = []

    def when(call: Call, user: str) -> bool:
        looks.append(call)
        return len(looks) > 3

    return when


async def made(story: Story) -> list[Attempt]:
    async with story.daemon.database.connection() as connection:
        runs = await connection.fetch("select id from runs")
        return [each for row in runs for each in await attempts.of_run(connection, row["id"])]


MOMENTS = ["between guards and claim", "between claim and intent", "between intent and write"]


def written(story: Story, since: int) -> list[str]:
    """Requests by which the daemon changed, or tried to change, something of the workload."""
    return [
        f"{each.method} {each.path}"
        for each in story.emulator.requests[since:]
        if each.method == "PATCH" and each.user == "remediator" and "dryRun" not in each.query
    ]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("by", ["request", "annotation"])
async def test_a_pause_at_any_moment_before_the_write_stops_it_and_a_resume_lets_it_be_sent_once(
    story: Story, moment: str, by: str
) -> None:
    await story.bad_release()
    since: list[int] = []

    async def stop() -> None:
        since.append(len(story.emulator.requests))
        if by == "request":
            await pause(story, "everything")
        else:
            annotate(story, "namespaces", "shop", "stop")

    meanwhile(story, moment, stop)
    await story.fire()
    assert since, "the pause was never made: the test proves nothing"
    assert (await story.run()).state == "APPROVED", (await story.run()).why
    assert len(await made(story)) == (1 if moment == "between intent and write" else 0)
    await story.let(10 * 60)
    assert written(story, since[0]) == []
    assert story.effects() == []

    annotate(story, "namespaces", "shop", None)
    assert (await resume(story, await the_pause(story)))[0] == 200
    await story.let(10)
    assert story.effects() == ["app:v1"]
    (attempt,) = await made(story)
    assert (attempt.outcome, attempt.sends) == ("applied", 1)


async def test_an_intent_that_was_never_sent_is_not_applied_when_its_run_ends(story: Story) -> None:
    await story.bad_release()

    async def stop() -> None:
        await pause(story, "everything")

    meanwhile(story, "between intent and write", stop)
    await story.fire()
    await story.let(65 * 60, step=60)
    run = await story.run()
    assert run.state == "BLOCKED", run.why
    assert "it did not become possible" in (run.why or "")
    (attempt,) = await made(story)
    assert (attempt.outcome, attempt.sends) == ("not_applied", 0)
    assert "it was never sent" in (attempt.outcome_why or "")


async def test_an_alert_that_clears_before_the_write_cancels_the_run_although_it_was_intended(
    story: Story,
) -> None:
    await story.bad_release()

    async def stop() -> None:
        await pause(story, "everything")

    meanwhile(story, "between intent and write", stop)
    await story.fire()
    await story.resolve()
    await story.let(60)
    run = await story.run()
    assert run.state == "CANCELLED", run.why
    assert [each.outcome for each in await made(story)] == ["not_applied"]


async def test_a_run_that_waits_for_a_pause_can_be_cancelled_although_it_was_intended(story: Story) -> None:
    await story.bad_release()

    async def stop() -> None:
        await pause(story, "everything")

    meanwhile(story, "between intent and write", stop)
    await story.fire()
    assert (await ask(story, "POST", "/api/v1/runs/1/cancel", {"why": "by hand"}))[0] == 200
    assert (await story.run()).state == "CANCELLED"
    assert [each.outcome for each in await made(story)] == ["not_applied"]
    assert (await resume(story, await the_pause(story)))[0] == 200
    await story.let(60)
    assert story.effects() == []


@pytest.mark.parametrize("moment", MOMENTS)
async def test_when_the_last_look_is_too_long_ago_it_is_looked_again_before_anything_is_sent(
    story: Story, moment: str
) -> None:
    await story.bad_release()
    before = len(story.emulator.requests)

    async def take_long() -> None:
        await story.clock.advance(1.6)

    meanwhile(story, moment, take_long)
    await story.fire()
    late = moment != "between claim and intent"  # there, the window of the claim is over and no other is open
    assert (story.effects() == []) == late
    if moment == "between intent and write":
        (attempt,) = await made(story)
        assert (attempt.outcome, attempt.sends) == (None, 0)
        assert len(written(story, before)) == 1, "only the claim was sent"
    await story.let(35)
    assert story.effects() == ["app:v1"]
    (attempt,) = await made(story)
    assert (attempt.outcome, attempt.sends) == ("applied", 1)


async def test_a_change_is_not_sent_again_while_a_pause_lasts(story: Story) -> None:
    await story.bad_release()
    lost = Fault("PATCH", "/deployments/api$", DropBeforeApplying(), when=is_the_effect)
    story.emulator.faults.add(lost)
    await story.fire()
    assert lost.hits == 1
    name = await pause(story, "target", "deployment/shop/api")
    since = len(story.emulator.requests)
    await story.let(10 * 60)
    assert written(story, since) == []
    assert (await story.run()).state == "APPROVED"
    assert (await resume(story, name))[0] == 200
    await story.let(10)
    assert story.effects() == ["app:v1"]
