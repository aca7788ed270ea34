"""Every shipped rule, every rung, and each guard written in a rule with its yes and its no, is exercised in rules/."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from remediator.rulebook.load import load
from remediator.trial.compare import differences
from remediator.trial.coverage import Coverage
from remediator.trial.play import play
from tests.support.databases import Databases
from tests.support.proof_lines import Prove
from tests.trial.shipped import RULES, shipped_cases, shipped_suites


@pytest.mark.proof
def test_the_tests_of_the_shipped_rules_exercise_all_of_them(proof: Prove, databases: Databases) -> None:
    coverage = Coverage()
    coverage.about(load([RULES]).rules)
    failed = {}
    for suite, case in shipped_cases():
        with databases.clone("driven") as dsn, tempfile.TemporaryDirectory() as directory:
            seen = asyncio.run(play(case, suite.rulebook, suite.file.settings, Path(directory), dsn))
        coverage.add(seen)
        found = differences(case, seen)
        if found:
            failed[case.name] = "\n".join(map(str, found))
    tests = sum(len(suite.cases) for suite in shipped_suites())
    proof("rules", files=len(shipped_suites()), tests=tests, coverage=coverage.percent())
    assert failed == {}
    assert coverage.missing() == []
