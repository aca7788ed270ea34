"""500 pauses at random moments under load: nothing is intended after one has committed, nothing begins 2 s after it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from remediator.domain.target import Target
from remediator.rulebook.load import load
from tests.processes.daemons import scene
from tests.processes.flips import NAMESPACES, RULES, Lanes, every_target, lanes_of, rule_file
from tests.support.waiting import until

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

FLIPS = 500
OF_EVERYTHING, OF_FILES, OF_EACH_RULE, OF_EACH_NAMESPACE = 4, 2, 2, 3
AT_THE_SAME_TIME = 24
LEAST_EFFECTS, LEAST_STOPPED = 100, 25
"""With fewer the load was too little for the flips to have stopped anything, and nothing is proven."""

Lane = Callable[[Lanes], Awaitable[None]]


def lasts() -> float:
    """Seconds; longer than what is promised, so that a write that is late can be seen."""
    return 2.0 + random.uniform(0.1, 0.5)


async def of_targets(lanes: Lanes, flips: Iterator[int], flipped: set[Target]) -> None:
    """One flip after another: of a workload that is just about to be changed, or of any."""
    for _ in flips:
        await asyncio.sleep(random.uniform(0, 0.5))
        target = await lanes.about_to_write(2) if random.random() < 0.7 else None
        if target is None or target in flipped:
            target = random.choice([each for each in every_target() if each not in flipped])
        else:
            await asyncio.sleep(random.uniform(0, 0.3))
        flipped.add(target)
        by = lanes.by_annotation if random.random() < 0.1 else lanes.by_request
        await by("target", str(target), lasts())
        flipped.discard(target)


async def of_namespace(lanes: Lanes, namespace: str) -> None:
    for number in range(OF_EACH_NAMESPACE):
        await asyncio.sleep(random.uniform(2, 12))
        by = lanes.by_annotation if number == 0 else lanes.by_request
        await by("namespace", namespace, lasts())


async def of_rule(lanes: Lanes, rule: str) -> None:
    for _ in range(OF_EACH_RULE):
        await asyncio.sleep(random.uniform(2, 15))
        await lanes.by_request("rule", rule, lasts())


async def of_everything(lanes: Lanes) -> None:
    for _ in range(OF_EVERYTHING):
        await asyncio.sleep(random.uniform(3, 8))
        await lanes.by_request("everything", "", lasts())
    for number in range(OF_FILES):
        await asyncio.sleep(random.uniform(3, 5))
        await lanes.by_file(number, lasts())


def all_lanes(lanes: Lanes) -> Iterator[Awaitable[None]]:
    others = OF_EVERYTHING + OF_FILES + RULES * OF_EACH_RULE + NAMESPACES * OF_EACH_NAMESPACE
    flips, flipped = iter(range(FLIPS - others)), set[Target]()
    for _ in range(AT_THE_SAME_TIME):
        yield of_targets(lanes, flips, flipped)
    for number in range(NAMESPACES):
        yield of_namespace(lanes, f"shop-{number}")
    for number in range(RULES):
        yield of_rule(lanes, f"restart-{number}")
    yield of_everything(lanes)


async def test_proof_pause(tmp_path: Path, real_time_database_url: str) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        lanes = lanes_of(tmp_path, world)
        (tmp_path / "rules.yaml").write_text(rule_file())
        lanes.rules = {each.rule: each for each in load([tmp_path / "rules.yaml"]).rules}
        lanes.furnish()
        with lanes.daemon() as one, lanes.daemon() as two:
            await one.ready()
            await two.ready()
            async with lanes.opened():
                busy = asyncio.create_task(lanes.keep_busy())

                async def under_load() -> bool:
                    return len(lanes.effects()) >= 10

                await until(under_load, "the daemons restart workloads", seconds=60)
                await asyncio.gather(*all_lanes(lanes))
                busy.cancel()
                with suppress(asyncio.CancelledError):
                    await busy
                found = await lanes.judged()
    flips = len(lanes.flips)
    print(
        f"proof pause: flips={flips} late={len(found.late)} effects={found.effects} stopped={found.stopped} "
        f"slowest_latch={found.slowest_latch:.1f}s"
    )
    assert found.late == []
    assert flips == FLIPS
    assert found.effects >= LEAST_EFFECTS
    assert found.stopped >= LEAST_STOPPED
