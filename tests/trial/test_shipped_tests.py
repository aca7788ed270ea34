"""Every test that stands beside the shipped rules passes."""

import asyncio
from pathlib import Path

import pytest

from remediator.trial.case import Case
from remediator.trial.compare import differences
from remediator.trial.play import play
from remediator.trial.read import Suite
from tests.support.databases import Databases
from tests.trial.shipped import shipped_cases

CASES = [
    pytest.param(suite, case, id=f"{suite.path.name.partition('.')[0]}: {case.name}")
    for suite, case in shipped_cases()
]


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_a_shipped_rule_does_what_its_test_says(
    suite: Suite, case: Case, tmp_path: Path, databases: Databases
) -> None:
    with databases.clone("driven") as dsn:
        seen = asyncio.run(play(case, suite.rulebook, suite.file.settings, tmp_path, dsn))
    assert "\n".join(map(str, differences(case, seen))) == ""
