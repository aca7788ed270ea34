"""`runs explain`: why a run did what it did, and what would have to be otherwise. The texts stand in golden/."""

import re
from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ROLLBACK, Story, told
from tests.support.terminal import ROLES, Terminal

GOLDEN = Path(__file__).parent / "golden"
WATCHED = """
  - rule: watched
    priority: 200
    match: ['{alertname="HighErrorRate"}']
    actions: [restart]
    verifications: [alert_cleared]
  - rule: errors-again
    mode: ask
    priority: 150
    match: ['{alertname="HighErrorRate"}']
    actions: [restart]
    verifications: [alert_cleared]
"""


async def acted(story: Story) -> None:
    await story.bad_release()
    await story.fire()


async def refused_for_good(story: Story) -> None:
    """Nobody rolled anything out: the alert has another cause."""
    await story.create("app:v1")
    await story.soak(35 * 60)
    await story.fire()


async def waits(story: Story) -> None:
    """A rollout is under way and nothing says that it is stuck."""
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:slow-v2")
    await story.let(45)
    await story.fire()


async def cannot_know(story: Story) -> None:
    await story.bad_release()
    story.emulator.faults.add(Fault("GET", "/poddisruptionbudgets", AnswerStatus(403), times=None))
    await story.fire()


async def asks(story: Story) -> None:
    """Its team never said that an earlier version runs on today's data."""
    await story.create("app:v1", replicas=2, **{"remediator.io/rollback": "unknown"})
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()


STORIES = {each.__name__: each for each in (acted, refused_for_good, waits, cannot_know, asks)}


@pytest.mark.parametrize("name", STORIES)
async def test_a_run_is_explained(
    name: str, tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK + WATCHED, people(tmp_path, **ROLES)) as story:
        await STORIES[name](story)
        terminal = Terminal(story, tmp_path / "kim", capsys)
        runs = (await terminal.json("runs", "list"))["runs"]
        number = next(each["id"] for each in runs if each["rule"] == "bad-release")
        shown = await terminal.shows("runs", "explain", str(number))
        shown = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", shown)
        assert shown == (GOLDEN / f"explained-{name}.txt").read_text()


async def test_a_shadow_run_says_what_holds_it(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK + WATCHED, people(tmp_path, **ROLES)) as story:
        await acted(story)
        terminal = Terminal(story, tmp_path / "kim", capsys)
        runs = (await terminal.json("runs", "list"))["runs"]
        number = next(each["id"] for each in runs if each["rule"] == "watched")
        explained = await terminal.json("runs", "explain", str(number))
        assert explained["for it to act"][0] == [
            "rule watched would have to be in mode act or ask: `remediator rules list` says what holds it"
        ]
        assert [each[:2] for each in explained["rules"]] == [
            ["bad-release", "comes first of those that may act"],
            ["errors-again", "left it to bad-release"],
            ["watched", "the run is its own"],
        ]
