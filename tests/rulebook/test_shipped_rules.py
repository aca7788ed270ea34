"""Every shipped rule is fine, does nothing unasked, and is led to by the alert shown in its example."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.domain.answers import Refusal
from remediator.guards.limit import Limit
from remediator.rulebook.files import find_rule_files
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import RuleTarget
from remediator.sandbox.kubernetes import Emulator
from remediator.store.database import Database
from remediator.verifications.promql import Promql
from tests.support.clock import DrivenClock
from tests.support.world import World, a_world, service, workload

RULES = Path(__file__).parents[2] / "rules"
EXAMPLES = sorted((RULES / "examples").glob("*.yaml"))


def shipped() -> Rulebook:
    return load([RULES])


@pytest.mark.parametrize("file", find_rule_files([RULES])[0], ids=lambda path: path.name)
def test_each_shipped_file_is_fine_by_itself_and_in_shadow(file: Path) -> None:
    assert {rule.mode for rule in load([file]).rules} == {"shadow"}


def test_every_shipped_rule_has_an_example() -> None:
    shown = {yaml.safe_load(path.read_text())["expect"]["rule"] for path in EXAMPLES}
    assert {rule.rule for rule in shipped().rules} == shown - {None}


async def test_each_alert_leads_to_what_its_example_says(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    examples = {path.stem: yaml.safe_load(path.read_text()) for path in EXAMPLES}
    assert all(set(each) <= {"alert", "cluster", "targets", "expect"} for each in examples.values())

    def populate(emulator: Emulator) -> None:
        for name in ("checkout", "search", "worker"):
            emulator.create(workload("Deployment", name))
        emulator.create(workload("StatefulSet", "postgresql"))
        for each in examples.values():
            for selecting, selected in each.get("cluster", {}).items():
                emulator.create(service(selecting.rpartition("/")[2], app=selected.rpartition("/")[2]))

    async with a_world(tmp_path, database, clock, populate) as world:
        wrong = {
            name: found
            for name, told in examples.items()
            if (found := await _found(world, told))
            != (told["expect"]["rule"], told["expect"]["target"], told["expect"]["disposition"])
        }
    assert wrong == {}


async def _found(world: World, told: dict[str, Any]) -> tuple[str | None, str | None, str]:
    targets = tuple(RuleTarget.model_validate(each) for each in told.get("targets", ()))
    matching = Matching(Rulebook(rules=shipped().rules, targets=targets))
    labels: dict[str, str] = told["alert"]["labels"]
    rules = matching.rules_for(labels)
    assert len(rules) <= 1
    if not rules:
        return None, None, "no_rule"
    resolved = await world.resolve(labels, *matching.targets_for(labels))
    if isinstance(resolved, Refusal):
        return rules[0].rule, None, "no_target"
    return rules[0].rule, str(resolved.target), "shadowed"


def test_every_shipped_rule_that_acts_is_limited_and_asks_the_alert_whether_it_helped() -> None:
    for rule in shipped().rules:
        for rung in rule.ladder:
            limited = {each.of for each in rule.guards if isinstance(each, Limit)}
            assert limited == {"target", "rule"}, rule.rule
            verified = [each.key() for each in rung.verifications]
            assert {"rollout_complete", "alert_cleared"} <= set(verified), rule.rule


def test_every_shipped_error_ratio_and_latency_needs_traffic_to_count() -> None:
    for rule in shipped().rules:
        for rung in rule.ladder:
            for each in rung.verifications:
                if isinstance(each, Promql) and "http_" in each.query:
                    assert each.traffic is not None, rule.rule
