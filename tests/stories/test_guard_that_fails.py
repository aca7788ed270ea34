"""A guard that fails has not said yes: the run waits until it can answer."""

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.story import Story


async def test_a_guard_that_cannot_read_its_facts_holds_the_run_and_lets_it_go_on_when_it_can(
    story: Story,
) -> None:
    await story.bad_release()
    unreadable = AnswerStatus(500, "InternalError")
    laid = story.emulator.faults.add(Fault("GET", "/namespaces/shop$", unreadable, times=None))
    await story.fire()
    for _ in range(2):
        await story.clock.advance(30)
        await story.settle()
    assert laid.hits
    run = await story.run()
    assert "opted_in" in (run.why or ""), run
    assert story.effects() == []
    story.emulator.faults.remove(laid)
    await story.let(60)
    assert story.effects() == ["app:v1"]
