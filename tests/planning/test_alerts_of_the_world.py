"""Alerts as public rules send them: each leads to the right target or to a refusal by name, and to the right rule."""

from pathlib import Path
from typing import Any

import yaml

from remediator.domain.answers import Refusal
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import RuleTarget
from tests.support.world import World

ALERTS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("alerts_of_the_world.yaml").read_text()
)
RULES = load([Path(__file__).parents[2] / "rules"]).rules


def test_each_alert_says_one_thing_that_it_leads_to() -> None:
    assert len(ALERTS) >= 100
    for each in ALERTS:
        assert set(each) <= {"labels", "entries", "found", "refused", "rule"}
        assert ("found" in each) != ("refused" in each)
    assert {"refused", "found"} <= {key for each in ALERTS for key in each}


def test_each_alert_is_taken_by_the_shipped_rule_that_is_for_it() -> None:
    matching = Matching(Rulebook(rules=RULES, targets=()))
    taken = [[rule.rule for rule in matching.rules_for(each["labels"])] for each in ALERTS]
    assert taken == [[each["rule"]] if "rule" in each else [] for each in ALERTS]


async def test_each_alert_leads_to_the_right_target_or_is_refused_by_name(world: World) -> None:
    wrong = []
    for each in ALERTS:
        entries = tuple(RuleTarget.model_validate(entry) for entry in each.get("entries", ()))
        matching = Matching(Rulebook(rules=(), targets=entries))
        found = await world.resolve(each["labels"], *matching.targets_for(each["labels"]))
        if isinstance(found, Refusal):
            right = "refused" in each and each["refused"] in found.why and not found.passing
        else:
            right = each.get("found") == str(found.target)
        if not right:
            wrong.append((each["labels"], str(found)))
    assert wrong == []
