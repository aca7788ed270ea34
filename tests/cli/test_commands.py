"""The commands, as a person types them, against a daemon that has just rolled something back."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.cli.main import main
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ROLLBACK, told
from tests.support.terminal import ROLES, Terminal

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
async def terminal(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """A person who may do everything, and a daemon after a rollback that helped."""
    async with told(tmp_path, database_url, clock, ROLLBACK, people(tmp_path, **ROLES)) as story:
        await story.create("app:v1")
        await story.let(35 * 60)
        story.release("app:v2")
        await story.let(4 * 60)
        await story.fire()
        await story.let(60)
        await story.resolve()
        await story.let(2 * 60)
        yield Terminal(story, tmp_path / "kim", capsys)


def without_ports(text: str) -> str:
    """The same text wherever the stand-ins happened to listen."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


async def test_incidents_show_tells_the_story_from_alert_to_recovery(terminal: Terminal) -> None:
    shown = without_ports(await terminal.shows("incidents", "show", "1"))
    assert shown == (GOLDEN / "incident.txt").read_text()


async def test_lists_are_tables_and_json(terminal: Terminal) -> None:
    table = await terminal.shows("runs", "list")
    assert re.search(r"1\s+.*bad-release.*deployment/shop/api.*RESOLVED|1\s+.*RESOLVED.*bad-release", table)
    (run,) = (await terminal.json("runs", "list"))["runs"]
    assert (run["id"], run["rule"], run["state"]) == (1, "bad-release", "RESOLVED")
    (incident,) = (await terminal.json("incidents", "list"))["incidents"]
    assert incident["subject"].endswith("deployment/shop/api")


async def test_runs_show_has_every_guard_and_the_attempt(terminal: Terminal) -> None:
    shown = await terminal.json("runs", "show", "1")
    assert [each["outcome"] for each in shown["attempts"]] == ["applied"]
    guards = {line["details"]["guard"] for line in shown["journal"] if line["kind"] == "guard"}
    assert "caused_by_rollout" in guards
    assert "RESOLVED" in await terminal.shows("runs", "show", "1")


async def test_runs_show_prints_each_verdict_with_its_inputs_and_when_they_were_observed(
    terminal: Terminal,
) -> None:
    shown = await terminal.shows("runs", "show", "1", "--guards")
    (cause,) = {line for line in shown.splitlines() if line.startswith("caused_by_rollout ")}
    assert re.search(r"allow +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +the rollout began", cause)
    assert "at_most_before=30m" in cause
    (pair,) = {line for line in shown.splitlines() if line.startswith("ping_pong ") and "of=pair" in line}
    assert "count=0" in pair
    assert "fewer_than=1" in pair


async def test_what_does_not_exist_is_said(terminal: Terminal) -> None:
    status, out, error = await terminal.type("runs", "show", "99")
    assert (status, out) == (1, "")
    assert "99" in error or "no such" in error


async def test_a_rule_is_approved_by_name_by_those_who_may(terminal: Terminal) -> None:
    assert "bad-release" in await terminal.shows("rules", "list")
    assert "bad-release" in await terminal.shows("rules", "approve", "bad-release")
    async with terminal.story.daemon.database.connection() as connection:
        assert await connection.fetchval("select approved_by from rule_versions") == "kim"


async def test_who_lacks_the_role_is_told_which(terminal: Terminal) -> None:
    guest = terminal.of("guest")
    status, _, error = await guest.type("rules", "approve", "bad-release")
    assert status == 1
    assert "approve" in error
    status, _, error = await guest.type("pause", "--why", "no")
    assert (status, "operate" in error) == (1, True)


async def test_pause_and_resume(terminal: Terminal) -> None:
    shown = await terminal.shows("pause", "--namespace", "shop", "--why", "migration", "--for", "2h")
    assert shown.startswith("namespace shop is paused until 2026-01-05 14:42:30 UTC: pause-1\n")
    assert "remediator resume pause-1 --why TEXT" in shown
    listed = await terminal.shows("pauses")
    assert re.search(r"pause-1\s+pause\s+request\s+namespace shop\s+.*kim\s+migration", listed)
    await terminal.shows("pause", "--why", "the datacentre moves", "--name", "move")
    ended = await terminal.shows("resume", "1", "--why", "migrated")
    assert ended == "pause-1 of namespace shop is over\nthis still stands still: everything (move)\n"
    assert "move of everything is over" in await terminal.shows("resume", "move", "--why", "moved")
    status, _, error = await terminal.type("resume", "move", "--why", "again")
    assert (status, "no pause or freeze move is open" in error) == (1, True)


async def test_a_freeze_is_planned_listed_and_given_up(terminal: Terminal) -> None:
    times = ("--from", "2026-01-06T18:00+01:00", "--until", "2026-01-07T06:00Z")
    freeze = ("freeze", "--target", "deployment/shop/api", *times, "--why", "sale", "--name", "sale")
    assert "deployment/shop/api is frozen from 2026-01-06 17:00:00 UTC until" in await terminal.shows(*freeze)
    assert re.search(r"sale\s+freeze to come\s+request\s+deployment/shop/api", await terminal.shows("pauses"))
    status, _, error = await terminal.type(*freeze)
    assert (status, "the name sale is taken" in error) == (1, True)
    assert "sale of deployment/shop/api is over" in await terminal.shows("resume", "sale", "--why", "no sale")
    assert (await terminal.json("pauses"))["pauses"] == []


async def test_a_daemon_that_is_not_there_is_a_sentence_and_no_traceback(
    terminal: Terminal,
) -> None:
    status = await asyncio.to_thread(main, ["runs", "list", "--url", "http://127.0.0.1:1"])
    assert status == 1
    error = terminal.capture.readouterr().err
    assert "127.0.0.1:1" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["runs"], ["runs", "show", "x"], ["rules", "check"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


async def test_a_breaker_is_listed_and_closed_with_a_reason_by_those_who_may(terminal: Terminal) -> None:
    async with terminal.story.daemon.database.connection() as connection:
        await connection.execute(
            """insert into breaker_openings (cluster, kind, namespace, name, until, why, rules)
               values ('default', 'deployment', 'shop', 'api', remediator_now() + interval '1 day',
                       'restart at 12:00 by run 1 of hung ended ESCALATED', '{hung}')"""
        )
    target = "deployment/shop/api"
    assert "restart at 12:00" in await terminal.shows("breakers", "list")
    guest = Terminal(terminal.story, terminal.token_file.parent / "guest", terminal.capture)
    status, _, error = await guest.type("breakers", "close", target, "--why", "fixed")
    assert (status, "operate" in error) == (1, True)
    assert "may act there again" in await terminal.shows("breakers", "close", target, "--why", "fixed in v3")
    status, _, error = await terminal.type("breakers", "close", target, "--why", "once more")
    assert (status, "is not open" in error) == (1, True)
    async with terminal.story.daemon.database.connection() as connection:
        text = await connection.fetchval("select text from journal where kind = 'breaker'")
    assert text == f"kim closed the breaker of {target}: fixed in v3"


async def test_the_list_of_rules_says_why_one_may_not_go_as_far(terminal: Terminal) -> None:
    (rule,) = (await terminal.json("rules", "list"))["rules"]
    assert (rule["mode"], rule["effective"], rule["why"]) == ("act", "act", "its probation is over")
    assert "effectively it is in mode act: approved by kim" in await terminal.shows(
        "rules", "approve", "bad-release"
    )
