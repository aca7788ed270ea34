"""The tests that stand beside the shipped rules: `proof rules` plays them."""

from pathlib import Path

from remediator.trial.case import Case
from remediator.trial.read import Suite, read_suites

RULES = Path(__file__).parents[2] / "rules"


def shipped_suites() -> list[Suite]:
    """All of them, without a mistake."""
    suites, problems = read_suites([RULES])
    assert problems == [], "\n".join(map(str, problems))
    return suites


def shipped_cases() -> list[tuple[Suite, Case]]:
    """Each test with its file."""
    return [(suite, case) for suite in shipped_suites() for case in suite.cases]
