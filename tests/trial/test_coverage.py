"""Which guard of a rule a verdict belongs to, and what that leaves unexercised."""

from typing import Any

import pytest

from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.rulebook.rule import LoadedRule
from remediator.trial.coverage import Coverage
from remediator.trial.seen import Seen

RULE: dict[str, Any] = {
    "rule": "bad-release",
    "match": ['{alertname="X"}'],
    "guards": [
        {"limit": {"effects": 1, "per": "6h", "of": "target"}},
        {"limit": {"effects": 3, "per": "1h", "of": "rule"}},
        {"human_active": {"quiet": "1h"}},
    ],
    "actions": ["restart"],
    "verifications": ["rollout_complete"],
}
OF_TARGET, OF_RULE = "limit: {effects: 1, of: target, per: 6h}", "limit: {effects: 3, of: rule, per: 1h}"
QUIET = "human_active: {quiet: 1h}"


def missing_after(guard: str, answer: GuardAnswer, **inputs: Any) -> set[str]:
    """What is left once one verdict was seen, and the rule was planned and did something."""
    coverage = Coverage()
    coverage.about([LoadedRule.model_validate(RULE)])
    verdict = GuardVerdict(guard=guard, answer=answer, why="", inputs=inputs)
    rungs, rules = frozenset({("bad-release", 0)}), frozenset({"bad-release"})
    coverage.add(Seen((), (("bad-release", verdict),), rungs, rules, frozenset()))
    return {item for _, item in coverage.missing()}


EVERYTHING = {f"{guard} {side}" for guard in (OF_TARGET, OF_RULE, QUIET) for side in ("allowed", "refused")}


@pytest.mark.parametrize(
    ("guard", "answer", "inputs", "exercised"),
    [
        ("limit", GuardAnswer.REFUSE, {"of": "target", "fewer_than": 1}, {f"{OF_TARGET} refused"}),
        ("limit", GuardAnswer.ALLOW, {"of": "rule", "fewer_than": 3}, {f"{OF_RULE} allowed"}),
        ("human_active", GuardAnswer.REFUSE, {"quiet": "1h"}, {f"{QUIET} refused"}),
        # The always-on guard of the same name gave this one.
        ("human_active", GuardAnswer.REFUSE, {"quiet": "30m"}, set()),
        ("human_active", GuardAnswer.UNKNOWN, {"quiet": "1h"}, set()),
        ("owner", GuardAnswer.REFUSE, {}, set()),
    ],
)
def test_a_verdict_exercises_the_guard_that_gave_it(
    guard: str, answer: GuardAnswer, inputs: dict[str, Any], exercised: set[str]
) -> None:
    assert missing_after(guard, answer, **inputs) == EVERYTHING - exercised
