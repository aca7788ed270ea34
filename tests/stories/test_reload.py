"""Reloading the rules: replaced whole, or not at all."""

from pathlib import Path

import pytest

from remediator.rulebook.problem import RulebookError
from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, Story, told


async def test_a_bad_rulebook_is_refused_and_the_running_one_stays(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "rules" / "story.yaml"
    file.write_text(file.read_text().replace("actions: [rollback]", "actions: [reboot]"))
    with pytest.raises(RulebookError, match="reboot"):
        await story.daemon.rules.reload()
    assert [each.rule for each in story.daemon.rules.rules()] == ["bad-release"]
    assert "remediator_config_last_reload_successful 0.0" in story.daemon.metrics.exposition().decode()


async def test_a_good_rulebook_is_in_force_at_once(story: Story, tmp_path: Path) -> None:
    (tmp_path / "rules" / "story.yaml").write_text(ROLLBACK.replace("bad-release", "renamed"))
    assert "1 rules are in force" in await story.daemon.rules.reload()
    assert [each.rule for each in story.daemon.rules.rules()] == ["renamed"]


async def test_a_run_keeps_the_rule_it_was_planned_with(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await story.create("app:v1")
        await story.soak(35 * 60)
        story.release("app:v2")
        await story.let(4 * 60)
        await story.fire()
        (tmp_path / "rules" / "story.yaml").write_text(ROLLBACK.replace("bad-release", "other"))
        await story.daemon.rules.reload()
        await story.resolve()
        await story.let(3 * 60)
        assert (await story.run()).state == "RESOLVED"
