"""Bugs are planted, and must be found: what proves that the harness can."""

import tempfile
from pathlib import Path

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.chaos.planted.bugs import BUGS, IN_CI
from tests.chaos.planted.copies import is_found, planted
from tests.chaos.test_proof_crash import FULL
from tests.support.proof_lines import Prove

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]


def test_proof_planted(postgres: PostgresServer, proof: Prove) -> None:
    missed = []
    bugs = BUGS if FULL else IN_CI
    for bug in bugs:
        with tempfile.TemporaryDirectory() as directory:
            why = is_found(bug, planted(bug, Path(directory)), postgres)
        if why is not None:
            missed.append(f"{bug.name}: {why}")
    proof("planted", bugs=len(bugs), missed=len(missed))
    assert missed == []
