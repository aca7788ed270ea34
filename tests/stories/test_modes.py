"""What a rule may do is looked at when a run is planned, and once more before anything is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from remediator.domain.answers import GuardAnswer
from remediator.guards.rule_in_force import RuleInForce
from remediator.planning.policy import Policy
from remediator.planning.rules_in_force import RulesInForce
from remediator.store import runs
from remediator.telemetry import Metrics
from tests.support.clock import DrivenClock
from tests.support.standing_still import resume
from tests.support.story import ROLLBACK, Story, told

SHOP = ("namespaces", "", "shop")


async def held_up(story: Story) -> None:
    """The alert has fired, and the run waits for the end of a pause."""
    await story.bad_release()
    story.emulator.patch(*SHOP, {"metadata": {"annotations": {"remediator.io/paused": "lunch"}}})
    await story.fire()
    assert "lunch" in ((await story.run()).why or "")


async def go_on(story: Story) -> None:
    story.emulator.patch(*SHOP, {"metadata": {"annotations": {"remediator.io/paused": None}}})
    await story.let(15)
    assert (await resume(story, "pause-1"))[0] == 200
    await story.let(60)


CHANGED = {
    "removed": (ROLLBACK.replace("bad-release", "other"), "rule bad-release is not loaded any more"),
    "another version": (ROLLBACK.replace("45m", "50m"), "was changed since this run was planned"),
    "off": (ROLLBACK.replace("mode: act", "mode: 'off'"), "is in mode off now: its file says off"),
    "shadow": (ROLLBACK.replace("mode: act", "mode: shadow"), "is in mode shadow now"),
}


@pytest.mark.parametrize(("rules", "why"), CHANGED.values(), ids=list(CHANGED))
async def test_a_rule_that_changed_after_planning_stops_the_run(
    story: Story, tmp_path: Path, rules: str, why: str
) -> None:
    await held_up(story)
    (tmp_path / "rules" / "story.yaml").write_text(rules)
    await story.daemon.rules.reload()
    await go_on(story)
    run = await story.run()
    assert (run.state, story.effects()) == ("BLOCKED", [])
    assert why in (run.why or "")


async def test_a_rule_that_may_only_ask_by_now_does_not_act_alone(story: Story, tmp_path: Path) -> None:
    await held_up(story)
    (tmp_path / "rules" / "story.yaml").write_text(ROLLBACK.replace("mode: act", "mode: ask"))
    await story.daemon.rules.reload()
    await go_on(story)
    assert story.effects() == []
    assert "rule bad-release may only ask now" in "".join(each.text for each in await story.journal())


async def test_a_change_that_cannot_matter_does_not_stop_it(story: Story, tmp_path: Path) -> None:
    await held_up(story)
    said = ROLLBACK.replace("mode: act", "mode: act\n    owner: team-shop")
    (tmp_path / "rules" / "story.yaml").write_text(said)
    await story.daemon.rules.reload()
    await go_on(story)
    assert story.effects() == ["app:v1"]


async def test_what_a_replica_that_is_ahead_has_planned_waits_for_this_one(
    story: Story, tmp_path: Path, clock: DrivenClock
) -> None:
    await story.create("app:v1")
    await clock.advance(60)
    (tmp_path / "ahead").mkdir()
    (tmp_path / "ahead" / "rules.yaml").write_text(ROLLBACK.replace("bad-release", "new"))
    daemon = story.daemon
    ahead = RulesInForce(
        [tmp_path / "ahead"], daemon.database, Metrics(), clock, Policy.of(daemon.settings), None
    )
    await ahead.reload()
    await story.fire()
    async with daemon.database.connection() as connection:
        run = await runs.find(connection, (await story.run()).id)
    assert run is not None
    planned_there = run.view.model_copy(update={"rule": "new", "rule_digest": ahead.rules()[0].digest})
    verdict = await RuleInForce().on_target(planned_there, daemon.kit)
    assert (verdict.answer, verdict.passing) == (GuardAnswer.REFUSE, True)
    verdict = await RuleInForce().on_target(planned_there, replace(daemon.kit, rules=ahead))
    assert verdict.answer is GuardAnswer.ALLOW


CEILINGS = {"ask": "ask", "shadow": "shadow"}


@pytest.mark.parametrize(("ceiling", "mode"), CEILINGS.items())
async def test_a_namespace_has_a_ceiling_of_its_own(
    tmp_path: Path, database_url: str, clock: DrivenClock, ceiling: str, mode: str
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, {"ceilings": {"shop": ceiling}}) as story:
        await story.bad_release()
        await story.fire()
        assert ((await story.run()).mode, story.effects()) == (mode, [])
        planned = next(each.text for each in await story.journal() if each.kind == "planned")
        assert f"the ceiling in namespace shop is {ceiling}" in planned


async def test_a_ceiling_elsewhere_changes_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, {"ceilings": {"web": "off"}}) as story:
        await story.bad_release()
        await story.fire()
        assert story.effects() == ["app:v1"]


async def test_under_a_ceiling_of_off_nothing_is_even_looked_at(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, {"ceilings": {"shop": "off"}}) as story:
        await story.bad_release()
        await story.fire()
        assert await story.runs() == []
        said = "".join(each.text for each in await story.journal())
        assert "bad-release is off: the ceiling in namespace shop is off" in said
