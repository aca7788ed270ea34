"""`proof database`: connections cut at every statement of the way of an alert, and everything else a database does."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.chaos.database_batches import Job, batches, clean
from tests.chaos.database_faults import COMMIT, KINDS, plan
from tests.chaos.tallies import PROCESSES, summed
from tests.support.databases import Databases, private_postgres
from tests.support.proof_lines import Prove

SEED = 20_261_127
FAULTS = 300 if os.environ.get("REMEDIATOR_CHAOS") == "full" else 150
_MOST_INVALID = 0.1


def _statements(directory: Path) -> list[str]:
    with private_postgres() as server:
        databases = Databases(server)
        databases.make_templates()
        with databases.clone("driven") as dsn:
            return asyncio.run(clean(directory, dsn, server))


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_proof_database(tmp_path: Path, proof: Prove) -> None:
    (tmp_path / "clean").mkdir()
    way = _statements(tmp_path / "clean")
    cycles = plan(SEED, FAULTS + FAULTS // 8, way)
    jobs = []
    for number in range(PROCESSES):
        (tmp_path / str(number)).mkdir()
        jobs.append(Job(tmp_path / str(number), cycles[number::PROCESSES]))
    tally = summed(batches, jobs)
    proof(
        "database",
        faults=tally.fired,
        violations=len(tally.violations),
        invalid=len(tally.invalid),
        kinds=len(tally.hit),
        commits=tally.hit[f"cut after {COMMIT}"],
    )
    kinds = ", ".join(f"{times} {kind}" for kind, times in sorted(tally.hit.items()))
    print(f"{len(cycles)} stories of {len(way)} statements each, seed {SEED}: {kinds}")
    tally.told()
    tally.judge(FAULTS, _MOST_INVALID)
    assert set(tally.hit) == KINDS
