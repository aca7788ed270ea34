"""alerts_correlated: a second alert has to point at the same target."""

from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.story import RESTART, Story, told

GUARD = "guards: [{alerts_correlated: {match: ['{severity=\"page\"}'], within: 10m}}]\n    actions:"
RULES = RESTART.replace("actions:", GUARD)


async def another(story: Story, name: str, **labels: str) -> None:
    """An alert that no rule matches."""
    await story.fire(alertname=name, **labels)


async def held(story: Story) -> str:
    run = next(each for each in await story.runs() if each.rule == "hung")
    assert story.effects() == []
    assert run.state == "PROPOSED", run.why
    return run.why or ""


async def test_a_second_alert_on_the_same_target_lets_it_act(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RULES) as story:
        await story.create("app:v1")
        await story.fire()
        assert "alerts_correlated: no other alert points at it within 10m, wanted 1" in await held(story)
        await another(story, "HighLatency", severity="page")
        await story.let(45)
        assert story.effects() == ["app:v1"]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("HighErrorRate", {"severity": "page", "pod": "api-1"}),
        ("HighLatency", {"severity": "warning"}),
        ("HighLatency", {"severity": "page", "deployment": "web"}),
    ],
)
async def test_what_is_no_second_signal(
    tmp_path: Path, database_url: str, clock: DrivenClock, name: str, labels: dict[str, str]
) -> None:
    """The same alert about a pod, one that does not match, and one of another target."""
    async with told(tmp_path, database_url, clock, RULES) as story:
        await story.create("app:v1")
        await story.fire()
        await another(story, name, **labels)
        await story.let(45)
        await held(story)


async def test_one_that_began_long_before_or_is_over_does_not_count(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RULES) as story:
        await story.create("app:v1")
        await another(story, "AlwaysSlow", severity="page")
        await another(story, "HighLatency", severity="page")
        await story.let(11 * 60)
        await story.resolve(alertname="HighLatency", severity="page")
        await story.fire()
        assert "no other alert points at it" in await held(story)


async def test_two_may_be_wanted(tmp_path: Path, database_url: str, clock: DrivenClock) -> None:
    rules = RESTART.replace("actions:", "guards: [{alerts_correlated: {at_least: 2}}]\n    actions:")
    async with told(tmp_path, database_url, clock, rules) as story:
        await story.create("app:v1")
        await story.fire()
        await another(story, "HighLatency")
        await story.let(45)
        assert "only HighLatency points at it within 15m, wanted 2" in await held(story)
        await another(story, "QueueFull")
        await story.let(45)
        assert story.effects() == ["app:v1"]
