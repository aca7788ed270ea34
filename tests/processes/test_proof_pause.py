"""500 pauses at random moments under load: nothing is intended after one has committed, nothing begins 2 s after it."""

import asyncio
import random
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from remediator.domain.target import Target
from tests.processes.daemons import scene
from tests.processes.flip_judge import Judgement, judged
from tests.processes.flips import Flips, client
from tests.processes.lanes import NAMESPACES, RULES, Lanes, every_target
from tests.support.proof_lines import Prove
from tests.support.waiting import until

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

FLIPS = 500
OF_EVERYTHING, OF_FILES, OF_EACH_RULE, OF_EACH_NAMESPACE = 4, 2, 2, 3
AT_THE_SAME_TIME = 24
LEAST_EFFECTS, LEAST_STOPPED = 50, 25
"""With fewer the load was too little for the flips to have stopped anything, and nothing is proven."""


def lasts() -> float:
    """Seconds; longer than what is promised, so that a write that is late can be seen."""
    return 2.0 + random.uniform(0.1, 0.5)


async def of_targets(flips: Flips, left: Iterator[int], flipped: set[Target]) -> None:
    """One flip after another: of a workload that is just about to be changed, or of any."""
    for _ in left:
        await asyncio.sleep(random.uniform(0, 0.5))
        target = await flips.lanes.about_to_write(3) if random.random() < 0.5 else None
        if target is None or target in flipped:
            target = random.choice([each for each in every_target() if each not in flipped])
        flipped.add(target)
        (by,) = random.choices((flips.by_replica, flips.by_request, flips.by_annotation), (7, 2, 1))
        await by("target", str(target), lasts())
        flipped.discard(target)


async def of_namespace(flips: Flips, namespace: str) -> None:
    for number in range(OF_EACH_NAMESPACE):
        await asyncio.sleep(random.uniform(2, 12))
        by = flips.by_annotation if number == 0 else flips.by_request
        await by("namespace", namespace, lasts())


async def of_rule(flips: Flips, rule: str) -> None:
    for _ in range(OF_EACH_RULE):
        await asyncio.sleep(random.uniform(2, 15))
        await flips.by_request("rule", rule, lasts())


async def of_everything(flips: Flips) -> None:
    for _ in range(OF_EVERYTHING):
        await asyncio.sleep(random.uniform(3, 8))
        await flips.by_request("everything", "", lasts())
    for number in range(OF_FILES):
        await asyncio.sleep(random.uniform(3, 5))
        await flips.by_file(number, lasts())


def all_of(flips: Flips) -> Iterator[Awaitable[None]]:
    others = OF_EVERYTHING + OF_FILES + RULES * OF_EACH_RULE + NAMESPACES * OF_EACH_NAMESPACE
    left, flipped = iter(range(FLIPS - others)), set[Target]()
    for _ in range(AT_THE_SAME_TIME):
        yield of_targets(flips, left, flipped)
    for number in range(NAMESPACES):
        yield of_namespace(flips, f"shop-{number}")
    for number in range(RULES):
        yield of_rule(flips, f"restart-{number}")
    yield of_everything(flips)


async def judged_under_load(lanes: Lanes) -> Judgement:
    """Flip while the daemons restart what they can, and judge."""
    async with lanes.opened(), client() as http:
        busy = asyncio.create_task(lanes.keep_busy())

        async def under_load() -> bool:
            return len(lanes.effects()) >= 10

        await until(under_load, "the daemons restart workloads", seconds=60)
        flips = Flips(lanes, http)
        await asyncio.gather(*all_of(flips))
        busy.cancel()
        with suppress(asyncio.CancelledError):
            await busy
        return await judged(lanes, flips.made)


async def test_proof_pause(tmp_path: Path, real_time_database_url: str, proof: Prove) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        lanes = Lanes(tmp_path, world.database_url, world.emulator, world.alertmanager, world.prometheus)
        lanes.furnish()
        with lanes.daemon() as one, lanes.daemon() as two:
            await one.ready()
            await two.ready()
            found = await judged_under_load(lanes)
    measured: dict[str, int | str] = {
        "effects": found.effects,
        "stopped": found.stopped,
        "slowest_latch": f"{found.slowest_latch:.1f}s",
    }
    proof("pause", flips=found.flips, late=len(found.late), **measured)
    assert found.late == []
    assert found.flips == FLIPS
    assert found.effects >= LEAST_EFFECTS
    assert found.stopped >= LEAST_STOPPED
