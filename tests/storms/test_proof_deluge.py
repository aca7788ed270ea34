"""`proof deluge`: 20,000 alerts, a fifth of them twice, through three processes: none is lost, memory stays small."""

import asyncio
from pathlib import Path

import pytest

from tests.storms.deluge import deluge
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

ALERTS = 20_000
MEBIBYTES = 256


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_proof_deluge(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("real") as url:
        seen = asyncio.run(deluge(tmp_path, url, ALERTS, seed=1, patience=300))
    proof(
        "deluge",
        posted=seen.posted,
        acknowledged=seen.acknowledged,
        stored=seen.stored,
        disposed=seen.disposed,
        mebibytes=seen.mebibytes,
    )
    assert (seen.acknowledged, seen.stored, seen.disposed) == (ALERTS, ALERTS, ALERTS)
    assert seen.mebibytes <= MEBIBYTES
