"""kill -9 at every fault point, and again while a daemon recovers: whatever crashes, every check holds."""

import os
from random import Random

import pytest

from remediator.fault_points import FaultPoint
from remediator.sandbox.postgres import PostgresServer
from tests.chaos.chains import Chains, every_pair
from tests.chaos.kills import Sum, told
from tests.support.proof_lines import Prove

pytestmark = [pytest.mark.proof, pytest.mark.timeout(7200)]

FULL = os.environ.get("REMEDIATOR_CHAOS") == "full"
SEED = int(os.environ.get("REMEDIATOR_CHAOS_SEED", "1"))
KILLS, OF_EACH_POINT = (2000, 25) if FULL else (800, 8)
PAIRS = 150
_A_STORY = 18
"""Faults in one story: the daemon after each kill recovers, goes on, and is killed further on."""


def test_proof_crash(postgres: PostgresServer, proof: Prove) -> None:
    chains = Chains(Random(SEED))
    found = told(postgres, chains.tasks(KILLS // 10, _A_STORY), enough=KILLS)
    proof(
        "crash",
        kills=found.kills,
        violations=len(found.violations),
        invalid=found.invalid,
        points=len(found.points),
        seed=SEED,
    )
    _nothing_was_violated(found)
    assert found.kills >= KILLS
    assert found.invalid <= found.kills / 8, "too many faults did not come: little is proven"
    assert {
        point: found.points[point] for point in FaultPoint.__members__ if found.points[point] < OF_EACH_POINT
    } == {}


def test_proof_recovery(postgres: PostgresServer, proof: Prove) -> None:
    if FULL:
        tasks, impossible = every_pair(Random(SEED))
    else:
        tasks, impossible = list(Chains(Random(SEED + 1), seek_pairs=True).tasks(13, _A_STORY)), []
    found = told(postgres, tasks)
    if FULL:
        impossible += [pair for task in tasks if (pair := task.pair) not in found.pairs]
        print("second crashes that cannot come:", ", ".join(sorted(" ".join(each) for each in impossible)))
    invalid = len(impossible) if FULL else found.invalid
    proof("recovery", pairs=len(found.pairs), violations=len(found.violations), invalid=invalid, seed=SEED)
    _nothing_was_violated(found)
    assert len(found.pairs) >= PAIRS
    assert FULL or found.invalid <= found.kills / 8, "too many faults did not come: little is proven"


def _nothing_was_violated(found: Sum) -> None:
    assert not found.violations, "\n".join(found.violations)
