"""Every shipped rule is fine, does nothing unasked, and is led to by the alert shown in its example."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.domain.answers import Refusal
from remediator.guards.limit import Limit
from remediator.planning.resolve import resolve
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import RuleTarget
from remediator.verifications.promql import Promql

RULES = Path(__file__).parents[2] / "rules"
EXAMPLES = sorted((RULES / "examples").glob("*.yaml"))


def shipped() -> Rulebook:
    return load([RULES])


@pytest.mark.parametrize("file", sorted(RULES.glob("*.yaml")), ids=lambda path: path.name)
def test_each_shipped_file_is_fine_by_itself_and_in_shadow(file: Path) -> None:
    assert {rule.mode for rule in load([file]).rules} == {"shadow"}


def test_every_shipped_rule_has_an_example() -> None:
    shown = {yaml.safe_load(path.read_text())["expect"]["rule"] for path in EXAMPLES}
    assert {rule.rule for rule in shipped().rules} == shown - {None}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_alert_leads_to_what_its_example_says(example: Path) -> None:
    told: dict[str, Any] = yaml.safe_load(example.read_text())
    targets = tuple(RuleTarget.model_validate(each) for each in told.get("targets", ()))
    matching = Matching(Rulebook(rules=shipped().rules, targets=targets))
    labels: dict[str, str] = told["alert"]["labels"]
    rules = matching.rules_for(labels)
    resolved = resolve(labels, matching.targets_for(labels), "test")
    found: tuple[str | None, str | None, str]
    if not rules:
        found = (None, None, "no_rule")
    elif isinstance(resolved, Refusal):
        found = (rules[0].rule, None, "no_target")
    else:
        found = (rules[0].rule, str(resolved.target), "shadowed")
    expect = told["expect"]
    assert found == (expect["rule"], expect["target"], expect["disposition"])
    assert len(rules) <= 1


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
