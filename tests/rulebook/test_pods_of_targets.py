"""The shipped queries ask for the pods of their target, whichever kind of workload it is, and of no other."""

import re
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "rules"
PATTERNS = {
    found
    for each in RULES.glob("*.yaml")
    for found in re.findall(r'pod=~"(\$\{target\.name\}[^"]*)"', each.read_text())
}


@pytest.mark.parametrize(
    ("pod", "its"),
    [
        ("api-6d5f7c9b8-x2k4q", True),
        ("api-0", True),
        ("api-12", True),
        ("api-x2k4q", True),
        ("api-gateway-6d5f7c9b8-x2k4q", False),
        ("api-db-0", False),
        ("my-api-0", False),
    ],
)
def test_the_pods_of_a_target_are_told_by_their_names(pod: str, its: bool) -> None:
    assert PATTERNS
    for pattern in PATTERNS:
        filled = pattern.replace("${target.name}", "api")
        assert (re.fullmatch(filled, pod) is not None) is its, pattern
