"""A guard that asks: what a person was asked about may be done, anything else may not, and people can read it."""

from dataclasses import replace

import pytest

from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.incidents.record import Line, Run
from remediator.incidents.run_story import RunStory
from remediator.run import End, Plan
from remediator.runbook.ask_guards import entries, refusal
from remediator.store import runs
from tests.support.clock import START
from tests.support.story import Story

ALLOW = GuardVerdict(
    guard="opted_in", answer=GuardAnswer.ALLOW, why="yes", caveats=("Helm applies it again.",)
)
ASK = GuardVerdict(guard="siblings", answer=GuardAnswer.ASK, why="worker was released with it")


@pytest.mark.parametrize(
    ("agreed", "stands"),
    [
        ((), True),
        (("siblings: web was released with it",), True),
        (("siblings: worker was released with it",), False),
    ],
)
async def test_only_what_was_asked_about_may_be_done(
    story: Story, agreed: tuple[str, ...], stands: bool
) -> None:
    await story.create("app:v1")
    await story.fire()
    number = (await story.run()).id
    async with story.daemon.database.connection() as connection:
        run = await runs.find(connection, number)
    assert run is not None
    asked = Plan(rung=0, changes=(), asked=agreed)
    planned = replace(run, plan=asked)
    verdict = await refusal(story.daemon.worker._desk, planned, [ALLOW, ASK])
    assert (verdict is not None) is stands
    if stands:
        assert isinstance(verdict, End)
        assert verdict.state == "BLOCKED"
        assert "siblings: worker was released with it" in verdict.why


def test_the_timeline_shows_who_asks_and_what_is_to_be_known() -> None:
    lines = [
        Line(number, START, each.kind, each.text, each.details, run_id=1)
        for number, each in enumerate(entries([ALLOW, ASK]))
    ]
    lines.append(Line(9, START, "state", "CLEARED: two guards", {"to": "CLEARED"}, run_id=1))
    run = Run(1, 1, "bad-release", "act", "deployment/shop/api", "CLEARED", None, START, None)
    (guards,) = [each for each in RunStory(run, []).moments(lines) if each.label == "guards"]
    assert guards.rows == (
        ("1 say yes: opted_in",),
        ("to be known:", "Helm applies it again."),
        ("siblings", "ask a person", "worker was released with it"),
    )
