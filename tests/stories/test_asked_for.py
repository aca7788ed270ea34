"""A run that a person asked for: the same stages and the same guards, but for those that judge the alert."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.domain.asked import Started
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ROLLBACK, Story, deployment, told
from tests.support.terminal import ROLES, Terminal

START = ("runs", "start", "bad-release", "--target", "deployment/shop/api", "--why", "checkout is broken")


@pytest.fixture
async def kim(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """Kim before a daemon whose rule bad-release acts and whose rule rehearsed is in shadow."""
    shadow = ROLLBACK.replace("bad-release", "rehearsed").replace("mode: act", "mode: shadow")
    rules = ROLLBACK + shadow.partition("rules:\n")[2].replace("HighErrorRate", "Other")
    async with told(tmp_path, database_url, clock, rules, people(tmp_path, **ROLES)) as story:
        yield Terminal(story, tmp_path / "kim", capsys)


async def bad_release(story: Story) -> None:
    """v1 has soaked; v2 was rolled out four minutes ago."""
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(4 * 60, step=30)


async def asked_for(story: Story, who: str = "alice") -> None:
    """Somebody asks for the rule bad-release, and every loop works."""
    made = await story.daemon.asked.start(
        "bad-release", "deployment/shop/api", None, who, "checkout is broken"
    )
    assert isinstance(made, Started)
    await story.settle()


async def guards_asked(story: Story) -> set[str]:
    return {str(each.details["guard"]) for each in await story.journal() if each.kind == "guard"}


async def test_without_an_alert_the_last_version_known_to_be_good_is_put_back(kim: Terminal) -> None:
    story = kim.story
    await bad_release(story)
    said = await kim.shows(*START)
    assert (
        said
        == "run 1 looks, and acts if every guard allows it: `remediator runs show 1` tells how it goes.\n"
    )
    await story.settle()
    assert story.effects() == ["app:v1"]
    asked = await guards_asked(story)
    assert {"opted_in", "floor", "human_active", "ping_pong"} <= asked
    assert not {"alert_still_firing", "caused_by_rollout"} & asked
    await story.let(5 * 60, step=30)
    assert (await story.run()).state == "RESOLVED"
    async with story.daemon.database.connection() as connection:
        changed = await connection.fetchval("select payload->>'text' from outbox where key like '%effect/%'")
    assert "kim asked for this at" in changed
    assert "checkout is broken" in changed
    for shown in (await kim.reads("runs", "show", "1"), await kim.reads("incidents", "show", "1")):
        assert "rule bad-release in mode act, started by kim: checkout is broken" in shown
    settling = await kim.fails(*START)
    assert "has to settle after run 1, which ended RESOLVED" in settling
    assert "remediator runs undo 1" in settling


async def test_a_version_in_whose_time_any_alert_began_is_not_gone_back_to(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(10 * 60, step=45)
    await story.fire(alertname="NobodysRule")
    await story.fire(alertname="Other")
    await story.resolve(alertname="NobodysRule")
    await story.resolve(alertname="Other")
    await story.let(40 * 60, step=45)
    story.release("app:v3")
    await story.let(4 * 60, step=30)
    await kim.shows(*START)
    await story.settle()
    assert story.effects() == ["app:v1"]


async def test_it_is_not_verified_while_an_alert_of_the_target_is_open(kim: Terminal) -> None:
    story = kim.story
    await bad_release(story)
    await kim.shows(*START)
    await story.settle()
    await story.fire()
    assert "run 1 is already at work" in await kim.reads("incidents", "show", "1")
    await story.let(5 * 60, step=30)
    assert (await story.run()).state == "ACTED"
    assert any("HighErrorRate is open on deployment/shop/api" in each.text for each in await story.journal())
    await story.resolve()
    await story.let(3 * 60, step=30)
    assert (await story.run()).state == "RESOLVED"


async def test_absence_of_alerts_means_nothing_while_nobody_watches(kim: Terminal) -> None:
    story = kim.story
    await bad_release(story)
    story.alertmanager.resolve({"alertname": "Watchdog"})
    await story.let(6 * 60, step=30)
    await kim.shows(*START)
    await story.let(50 * 60, step=60)
    run = await story.run()
    assert run.state == "ESCALATED"
    assert "which proves nothing: Watchdog does not fire" in (run.why or "")
    assert story.effects() == ["app:v1"]


async def test_a_rule_in_shadow_gives_a_preview_unless_somebody_is_to_agree(kim: Terminal) -> None:
    story = kim.story
    await bad_release(story)
    rehearsed = ("runs", "start", "rehearsed", *START[3:])
    assert "run 1 is a preview and changes nothing" in await kim.shows(*rehearsed)
    await story.settle()
    assert (await story.run()).state == "SHADOWED"
    assert "it would have acted: every guard allows it" in ((await story.run()).why or "")
    refused = await kim.fails(*rehearsed, "--mode", "act")
    assert "it cannot be started in mode act: the rule is effectively in mode shadow" in refused
    assert "It can be started with --mode ask." in refused
    assert "waits until somebody agrees" in await kim.shows(*rehearsed, "--mode", "ask")
    await story.settle()
    assert story.effects() == []
    assert (await kim.json("runs", "list"))["runs"][0]["asked_by"] == "kim"


@pytest.mark.parametrize(
    ("mode", "state", "why"),
    [
        ("'off'", "BLOCKED", "rule bad-release is in mode off now: its file says off"),
        ("shadow", "BLOCKED", "rule bad-release is in mode shadow now: its file says shadow"),
        ("ask", "CLEARED", "rule bad-release may only ask now"),
    ],
)
async def test_a_run_in_mode_act_goes_on_acting_only_while_its_rule_does(
    kim: Terminal, mode: str, state: str, why: str
) -> None:
    story = kim.story
    await bad_release(story)
    await kim.shows("pause", "--why", "lunch")
    await kim.shows(*START)
    await story.settle()
    (file,) = story.daemon.settings.rules[0].glob("*.yaml")
    file.write_text(file.read_text().replace("mode: act", f"mode: {mode}"))
    await story.daemon.rules.reload()
    await kim.shows("resume", "1", "--why", "over")
    await story.let(60, step=30)
    run = await story.run()
    assert (run.state, story.effects()) == (state, []), run.why
    assert why in (run.why or "")


async def test_what_somebody_agrees_to_needs_no_rule_that_may_act(kim: Terminal) -> None:
    story = kim.story
    await bad_release(story)
    await kim.shows(*START[:2], "rehearsed", *START[3:], "--mode", "ask")
    await story.settle()
    await kim.reads("runs", "approve", "1", "--yes")
    await story.settle()
    assert story.effects() == ["app:v1"], (await story.run()).why


async def test_what_cannot_be_started_is_said_and_nothing_is_made(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1")
    assert "no rule called good-release is loaded" in await kim.fails(*START[:2], "good-release", *START[3:])
    gone = (*START[:4], "deployment/shop/apj", *START[5:])
    assert "there is no deployment apj in namespace shop" in await kim.fails(*gone)
    story.emulator.faults.add(Fault("GET", "/deployments/api$", AnswerStatus(500), times=None))
    assert "could not be looked up" in await kim.fails(*START)
    story.emulator.faults.clear()
    assert await story.runs() == []
    await kim.shows("pause", "--why", "release day")
    await kim.shows(*START)
    await story.settle()
    assert "run 1, which is PLANNED, holds deployment/shop/api" in await kim.fails(*START)
    assert "`remediator runs cancel 1`" in await kim.fails(*START)
    assert len(await story.runs()) == 1


async def test_a_workload_whose_namespace_has_not_opted_in_is_refused_by_the_guard(kim: Terminal) -> None:
    story = kim.story
    other = deployment("app:v1")
    other["metadata"]["namespace"] = "other"
    story.emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    story.emulator.create(other)
    await kim.shows(*START[:4], "deployment/other/api", *START[5:])
    await story.settle()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "namespace other has not opted in" in (run.why or "")
    assert story.effects() == []


async def test_who_may_only_look_may_ask_for_nothing(kim: Terminal) -> None:
    guest = kim.of("guest")
    why = ("--why", "no")
    for command in (
        START,
        ("runs", "undo", "1", *why),
        ("runs", "settle", "1", "--applied", *why),
        ("runs", "cancel", "1", *why),
    ):
        assert "guest lacks the role operate" in await guest.fails(*command)
    assert await kim.story.runs() == []
