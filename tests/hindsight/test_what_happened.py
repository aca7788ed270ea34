"""What really happened after a decision in shadow is told from what the daemon itself saw."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hindsight.conftest import SOON, WATCHING
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.story import KIM, RESTART, ROLLBACK, Story, told
from tests.support.web import bearer

RESTARTING = RESTART.replace("mode: act", "mode: shadow")
OUTCOMES = ("same", "something_else", "alone", "worse")


async def reported(story: Story, query: str = "") -> Any:
    """The report of the one rule, or of the first."""
    answer = await Someone(story.url, bearer(KIM)).send("GET", f"/api/v1/shadow{query}")
    assert answer.status == 200, answer
    return answer.json["rules"][0]


async def counted(story: Story) -> dict[str, int]:
    """How many decisions, and those outcomes that there are."""
    decisions = (await reported(story))["decisions"]
    found = {name: decisions[name] for name in OUTCOMES if decisions[name]}
    return {"decisions": decisions["count"], **found, **decisions["unknown"]}


async def fires(story: Story) -> None:
    """A bad release, its alert, and a decision about it half a minute later."""
    await story.bad_release()
    await story.fire()
    await story.let(60, step=30)


async def ends(story: Story, minutes: float = 6) -> None:
    """The alert clears four minutes on, and the window passes."""
    await story.let(4 * 60, step=60)
    await story.resolve()
    await story.let(minutes * 60, step=60)


async def test_people_who_go_back_to_the_same_version_did_the_same(story: Story) -> None:
    await fires(story)
    story.release("app:v1")
    await ends(story)
    assert await counted(story) == {"decisions": 1, "same": 1}
    report = await reported(story)
    assert report["saved_seconds"] == 5 * 60
    assert report["harmed"] == 0


async def test_people_who_set_another_version_did_something_else_which_a_rollback_would_have_undone(
    story: Story,
) -> None:
    await fires(story)
    story.release("app:v3")
    await ends(story)
    assert await counted(story) == {"decisions": 1, "something_else": 1}
    assert (await reported(story))["harmed"] == 1


async def test_the_last_change_before_the_alert_ended_decides(story: Story) -> None:
    await fires(story)
    story.release("app:v1")
    await story.let(60)
    story.release("app:v3")
    await ends(story)
    assert await counted(story) == {"decisions": 1, "something_else": 1}


async def test_what_people_change_after_the_alert_ended_does_not_count(story: Story) -> None:
    await fires(story)
    await ends(story, minutes=1)
    story.release("app:v1")
    await story.let(6 * 60, step=60)
    assert await counted(story) == {"decisions": 1, "alone": 1}


async def test_an_alert_that_ends_with_nobody_changing_anything_healed_alone(story: Story) -> None:
    await fires(story)
    await ends(story)
    assert await counted(story) == {"decisions": 1, "alone": 1}
    report = await reported(story)
    assert report["self_healing"]["p50_seconds"] == 5 * 60
    assert report["harmed"] == 1, "five minutes are within the 46 that the verification may take"


async def test_a_restart_instead_of_a_rollback_is_something_else(story: Story) -> None:
    await fires(story)
    story.restart()
    await ends(story)
    assert await counted(story) == {"decisions": 1, "something_else": 1}


async def test_more_alerts_in_the_window_are_worse(story: Story) -> None:
    await fires(story)
    await story.fire(pod="another")
    await story.let(60)
    await story.resolve(pod="another")
    await ends(story)
    assert await counted(story) == {"decisions": 1, "worse": 1}


async def test_an_alert_that_comes_back_in_the_window_did_not_heal(story: Story) -> None:
    await fires(story)
    await story.let(60)
    await story.resolve()
    await story.let(60)
    await story.fire()
    await story.resolve()
    await story.let(6 * 60, step=60)
    assert (await counted(story))["worse"] == 1


async def test_an_alert_that_is_open_is_not_known_yet(story: Story) -> None:
    await fires(story)
    await story.let(9 * 60, step=60)
    assert await counted(story) == {"decisions": 1, "its alert is still open": 1}


async def test_a_window_that_is_not_over_is_not_known_yet(story: Story) -> None:
    await fires(story)
    await story.let(60)
    await story.resolve()
    await story.let(60)
    assert await counted(story) == {"decisions": 1, "the window is not over": 1}


async def test_what_happened_while_the_memory_did_not_look_is_not_known(story: Story) -> None:
    await fires(story)
    await story.clock.advance(3 * 60)
    await story.let(60)
    await story.resolve()
    await story.let(6 * 60, step=60)
    assert await counted(story) == {"decisions": 1, "the memory did not look all the time": 1}


async def test_a_restart_by_people_is_what_a_rule_that_restarts_would_have_done(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTARTING, SOON) as story:
        await story.create("app:v1")
        await story.soak(10 * 60)
        await story.fire()
        await story.let(60)
        story.restart()
        await ends(story)
        assert await counted(story) == {"decisions": 1, "same": 1}


@pytest.mark.parametrize("deed", [Story.unready, lambda story: story.release("app:v2")], ids=["none", "v2"])
async def test_a_rule_that_restarts_would_have_undone_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock, deed: Callable[[Story], None]
) -> None:
    async with told(tmp_path, database_url, clock, RESTARTING, SOON) as story:
        await story.create("app:v1")
        await story.soak(10 * 60)
        await story.fire()
        await story.let(60)
        deed(story)
        await ends(story)
        report = await reported(story)
        became = report["decisions"]
        assert (became["same"], became["alone"] + became["something_else"]) == (0, 1)
        assert report["harmed"] == became["alone"]


async def test_what_another_rule_did_is_nobodys_doing(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    both = WATCHING + ROLLBACK.partition("rules:")[2].replace("bad-release", "acting")
    async with told(tmp_path, database_url, clock, both, SOON) as story:
        await fires(story)
        assert story.effects() == ["app:v1"]
        await ends(story)
        assert await counted(story) == {"decisions": 1, "remediator itself changed it": 1}


async def test_what_a_guard_would_have_stopped_is_no_decision(story: Story) -> None:
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.soak(4 * 60)
    labels = {"metadata": {"annotations": {"remediator.io/paused": "lunch"}}}
    story.emulator.patch("namespaces", "", "shop", labels)
    await story.fire()
    await story.let(60, step=30)
    report = await reported(story)
    assert (report["decisions"]["count"], report["left_out"]["stopped"]) == (0, 1)
    assert "pause" in report["left_out"]["stopped_by"]


async def test_where_the_action_has_nothing_to_propose_there_is_no_decision(story: Story) -> None:
    await story.create("app:v1")
    await story.soak(10 * 60)
    await story.fire()
    await story.let(60, step=30)
    report = await reported(story)
    assert (
        report["decisions"]["count"],
        report["left_out"]["stopped"],
        report["left_out"]["without_plan"],
    ) == (0, 0, 1)


async def test_an_incident_that_goes_on_is_one_decision(story: Story) -> None:
    await fires(story)
    for _ in range(3):
        await story.let(12 * 60, step=60)
        await story.deliver()
        await story.fire()
    assert len(await story.runs()) > 1
    await ends(story)
    assert (await reported(story))["decisions"]["count"] == 1


async def test_another_version_of_the_rule_says_nothing_about_this_one_unless_it_only_narrows_that(
    story: Story, tmp_path: Path
) -> None:
    await fires(story)
    await ends(story)
    narrower = WATCHING.replace('HighErrorRate"', 'HighErrorRate", severity="critical"')
    (tmp_path / "rules" / "story.yaml").write_text(narrower)
    await story.daemon.rules.reload()
    assert await counted(story) == {"decisions": 1, "alone": 1}
    (tmp_path / "rules" / "story.yaml").write_text(WATCHING.replace("HighErrorRate", "Other"))
    await story.daemon.rules.reload()
    report = await reported(story)
    assert (report["decisions"]["count"], report["left_out"]["of_other_versions"]) == (0, 1)


async def test_a_rule_that_is_not_loaded_is_named(story: Story) -> None:
    answer = await Someone(story.url, bearer(KIM)).send("GET", "/api/v1/shadow?rule=bad-relaese")
    assert answer.status == 404
    for days in ("0", "366", "x"):
        answer = await Someone(story.url, bearer(KIM)).send("GET", f"/api/v1/shadow?days={days}")
        assert answer.status == 400
