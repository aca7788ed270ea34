"""`proof api`: every fault of an API server at every kind of request, on the whole way of an alert.

A batch of shops lives through it at once, each with the faults of one cycle; the log of the emulator, the database
and what was acknowledged are the judges.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.api_batches import Job, batch, clean
from tests.chaos.api_faults import WAY, Cycle, every, plan
from tests.chaos.tallies import Tally, summed
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

SEED = 20_261_127
FAULTS = 1_000 if os.environ.get("REMEDIATOR_CHAOS") == "full" else 500
_A_BATCH = 12
_MOST_INVALID = 0.05


def _lived(directory: Path, databases: Databases, cycles: Sequence[Cycle]) -> Tally:
    with ExitStack() as opened:
        jobs = []
        for hurried in (True, False):
            some = [each for each in cycles if each.hangs == hurried]
            for start in range(0, len(some), _A_BATCH):
                its = directory / f"{hurried}-{start}"
                its.mkdir(parents=True)
                url = opened.enter_context(databases.clone("driven"))
                jobs.append(Job(its, url, some[start : start + _A_BATCH], hurried))
        return summed(batch, jobs)


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_proof_api(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("driven") as url:
        (tmp_path / "clean").mkdir()
        asked = asyncio.run(clean(tmp_path / "clean", url))
    cycles = plan(SEED, FAULTS + FAULTS // 50, asked)
    tally = _lived(tmp_path / "first", databases, cycles)
    # One fault may keep a story from asking what the next one waits for: what did not come is laid again, alone.
    alone = [Cycle((each,)) for each in every() if each.what not in tally.hit]
    tally.add(_lived(tmp_path / "alone", databases, alone))
    missed = {each.what for each in every()} - set(tally.hit)
    proof(
        "api",
        faults=tally.fired,
        violations=len(tally.violations),
        invalid=len(tally.invalid),
        kinds=len(tally.hit),
        missed=len(missed),
    )
    ends = ", ".join(f"{times} {ending}" for ending, times in sorted(tally.endings.items()))
    print(f"seed {SEED}: how {tally.endings.total()} stories ended, with how many effects: {ends}")
    tally.told()
    tally.judge(FAULTS, _MOST_INVALID)
    assert missed == set()


async def test_the_list_of_requests_is_that_of_a_story_in_which_nothing_goes_wrong(
    tmp_path: Path, database_url: str
) -> None:
    asked = await clean(tmp_path, database_url)
    assert set(asked) == WAY - {"claim", "effect"} | {"patch"}
