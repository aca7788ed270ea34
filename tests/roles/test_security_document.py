"""docs/security.md names tests that exist, and routes and roles as they are."""

import ast
import re

import pytest

from remediator.settings.process_role import ROLES
from tests.deploy.manifests import ROOT

SECURITY = (ROOT / "docs" / "security.md").read_text()
THREATS = SECURITY.partition("\n## Threats\n")[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)))


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_a_test_that_is_named_exists(file: str, function: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert function in {each.name for each in functions}


def test_every_threat_has_a_control_and_a_test() -> None:
    rows = [line.strip("| ").split(" | ") for line in THREATS.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for threat, control, *tests in rows:
        assert control, threat
        assert re.fullmatch(r"(`tests/[\w/]+\.py::\w+` ?)+", " ".join(tests)), threat


def test_the_rows_are_read_by_this_test() -> None:
    assert len(NAMED) > 40


def test_the_two_processes_share_no_route_but_health() -> None:
    intake, executor = ROLES["intake"], ROLES["executor"]
    assert {*intake.outside, *intake.inside} & {*executor.outside, *executor.inside} == {"health"}
    assert "people" not in executor.outside
    assert not intake.engine
