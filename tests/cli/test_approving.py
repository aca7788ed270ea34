"""`runs approve` and `runs decline`, as a person types them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ROLLBACK, told
from tests.support.terminal import Terminal


@pytest.fixture
async def waiting(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """A person who may approve, and a daemon whose run waits for that."""
    roles = {"kim": ("view", "approve"), "guest": ("view",)}
    rules = ROLLBACK.replace("mode: act", "mode: ask")
    async with told(tmp_path, database_url, clock, rules, people(tmp_path, **roles)) as story:
        await story.bad_release()
        await story.fire()
        yield Terminal(story, tmp_path / "kim", capsys)


async def test_a_plan_is_approved_by_its_digest_and_the_timeline_says_who_and_why(waiting: Terminal) -> None:
    listed = await waiting.shows("runs", "list")
    assert re.search(r"CLEARED .*1 of|CLEARED .*must agree|CLEARED .*people agreed", listed), listed
    (asked,) = (await waiting.json("runs", "show", "1"))["approvals"]
    shown = await waiting.shows("runs", "approve", "1", asked["digest"], "--why", "seen the logs")
    assert f"plan {asked['digest']} is agreed to by kim" in shown
    await waiting.story.settle()
    assert waiting.story.effects() == ["app:v1"]
    told_of = await waiting.shows("runs", "show", "1")
    assert re.search(rf"approval\s+kim agreed to plan {asked['digest']}: seen the logs", told_of), told_of


async def test_without_a_digest_and_a_terminal_nothing_is_agreed_to_and_the_plan_is_named(
    waiting: Terminal,
) -> None:
    status, _, error = await waiting.type("runs", "approve", "1")
    (asked,) = (await waiting.json("runs", "show", "1"))["approvals"]
    assert (status, asked["digest"] in error) == (1, True)
    assert asked["answers"] == []


async def test_yes_shows_the_plan_it_agrees_to(waiting: Terminal) -> None:
    shown = await waiting.shows("runs", "approve", "1", "--yes")
    for each in (
        "deployment/shop/api",
        "app:v2",
        "app:v1",
        "asked because: the rule is in mode ask",
        "level G1",
    ):
        assert each in shown, each
    await waiting.story.settle()
    assert waiting.story.effects() == ["app:v1"]


@pytest.mark.parametrize(("typed", "effects"), [("y", ["app:v1"]), ("", []), ("no", [])])
async def test_on_a_terminal_a_person_is_asked(
    waiting: Terminal, monkeypatch: pytest.MonkeyPatch, typed: str, effects: list[str]
) -> None:
    class Keyboard:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return f"{typed}\n"

    monkeypatch.setattr("sys.stdin", Keyboard())
    status, shown, _ = await waiting.type("runs", "approve", "1")
    assert (status == 0) is bool(effects)
    assert "until 2026-01-05 12:54:30 UTC" in shown
    await waiting.story.settle()
    assert waiting.story.effects() == effects


async def test_a_plan_is_declined_with_a_reason(waiting: Terminal) -> None:
    assert "is declined" in await waiting.shows("runs", "decline", "1", "--why", "it is the database")
    await waiting.story.settle()
    assert "kim said no: it is the database" in await waiting.shows("runs", "show", "1")
    assert (await waiting.story.run()).state == "DECLINED"
    status, _, error = await waiting.type("runs", "approve", "1", "--yes")
    assert (status, "asks nobody" in error) == (1, True)


async def test_refusals_say_what_to_do(waiting: Terminal) -> None:
    status, _, error = await waiting.type("runs", "approve", "1", "0123456789abcdef")
    (asked,) = (await waiting.json("runs", "show", "1"))["approvals"]
    assert (status, asked["digest"] in error) == (1, True)
    guest = Terminal(waiting.story, waiting.token_file.parent / "guest", waiting.capture)
    status, _, error = await guest.type("runs", "decline", "1", "--why", "no")
    assert (status, "guest lacks the role approve" in error) == (1, True)
    status, _, error = await waiting.type("runs", "approve", "99", "0123")
    assert (status, "there is no run 99" in error) == (1, True)
