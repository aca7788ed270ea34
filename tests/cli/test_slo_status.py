"""`remediator slo status`: a table for people, JSON for programs, and an exit status that says whether to look."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.cli.main import main
from tests.slo.series import of_pyrra, of_sloth
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.story import KIM, Story, told
from tests.support.web import bearer


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    async with told(tmp_path, database_url, clock) as made:
        yield made


async def said(story: Story, tmp_path: Path, *more: str) -> int:
    token = tmp_path / "kim-of-the-story"
    return await asyncio.to_thread(
        main, ["slo", "status", "--url", story.url, "--token-file", str(token), *more]
    )


async def test_budgets_stand_in_a_table_and_one_that_is_used_up_is_worth_a_look(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_sloth(story.prometheus, left=0.4, burn=14.4, past=[1.0, 0.8, 0.6, 0.4])
    assert await said(story, tmp_path) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["SLO", "SOURCE", "OBJECTIVE", "WINDOW"]
    cells = [
        "checkout/availability",
        "sloth",
        "99.9%",
        "30d",
        "burning",
        "40.0%",
        "14.40",
        "█▇▅▄",
        "-20.0%",
        "2.0",
        "d",
    ]
    assert row.split() == cells
    of_pyrra(story.prometheus, available=0.985)
    assert await said(story, tmp_path) == 1
    assert "used up" in capsys.readouterr().out


async def test_programs_get_json_and_what_is_not_known_is_worth_a_look(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_sloth(story.prometheus, left=float("nan"), burn=1.0)
    assert await said(story, tmp_path, "--output", "json") == 1
    (found,) = json.loads(capsys.readouterr().out)["slos"]
    assert (found["state"], found["left"], found["objective"]["window"]) == ("unknown", None, "30d")


async def test_whoever_may_look_may_ask_and_a_prometheus_that_is_away_is_no_empty_list(story: Story) -> None:
    kim, nobody = Someone(story.url, bearer(KIM)), Someone(story.url, {})
    assert (await nobody.send("GET", "/api/v1/slos")).status == 401
    answer = await kim.send("GET", "/api/v1/slos")
    assert (answer.status, answer.json) == (200, {"slos": []})
    await story.prometheus.stop()
    answer = await kim.send("GET", "/api/v1/slos")
    assert answer.status == 503
    assert "cannot connect" in answer.body.decode()
