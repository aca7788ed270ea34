"""Stories under the faults of an API server: a batch of shops lives through it at once, in a process of its own."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediator.sandbox.kubernetes import Fault
from remediator.store.database import open_database
from tests.chaos.api_faults import MEMORY, Cycle, Laid, count
from tests.chaos.checks import violations
from tests.chaos.hurried import loop_factory
from tests.chaos.shops import Shops, shops
from tests.chaos.tallies import Tally
from tests.chaos.unforeseen import answers_without_cause
from tests.support.clock import DrivenClock

_LASTING = {
    **{f"{status} at claim": f"the API server refused the claim ({status})" for status in (403, 410, 422)},
    **{f"{status} at rehearsal": f"the API server would refuse it ({status})" for status in (403, 410, 422)},
    "200, not applied at rehearsal": "would write another template than the one proposed",
}
"""Answers to a write that is not the effect which mean a lasting no: a missing right, an admission policy, a template
that would become another one. The run ends BLOCKED with that sentence, and nothing was changed."""


@dataclass(frozen=True)
class Job:
    """One batch for one process."""

    directory: Path
    database_url: str
    cycles: list[Cycle]
    hurried: bool


def batch(job: Job) -> Tally:
    """Live through one batch, in a process of its own."""
    with asyncio.Runner(loop_factory=loop_factory(hurried=job.hurried)) as runner:
        return runner.run(_batch(job))


async def _batch(job: Job) -> Tally:
    database = await open_database(job.database_url, size=2)
    clock = DrivenClock(database)
    cycles = {f"shop-{number}": cycle for number, cycle in enumerate(job.cycles)}
    try:
        async with shops(job.directory, job.database_url, cycles, clock=clock) as world:
            hits: dict[str, list[Laid]] = {name: [] for name in cycles}
            ended_at = clock.now()

            def lay(*, memory: bool) -> None:
                for name, cycle in cycles.items():
                    for each in cycle.laid:
                        if each.memory == memory:
                            world.emulator.faults.add(_trap(name, each))

            def _trap(name: str, laid: Laid) -> Fault:
                def hit() -> None:
                    nonlocal ended_at
                    hits[name].append(laid)
                    ended_at = clock.now()

                return laid.trap(name, hit)

            lay(memory=True)
            await world.soaked()
            await world.bad_releases(world.names)
            lay(memory=False)
            await world.fire(world.names)
            await world.until_over(6 * 60, at_least=60)
            while (clock.now() - ended_at).total_seconds() < 60:
                await world.let(15)
            world.emulator.faults.clear()
            return await _judged(world, cycles, hits, ended_at)
    finally:
        await database.close()


async def _judged(
    world: Shops, cycles: dict[str, Cycle], hits: dict[str, list[Laid]], ended_at: datetime
) -> Tally:
    tally = Tally()
    told = ", ".join(f"{name}: {cycle}" for name, cycle in cycles.items())
    found = violations(await world.history(ended_at)) + answers_without_cause(world.failures)
    tally.violations = [f"{each} ({told})" for each in found]
    endings = await world.endings()
    for name, cycle in cycles.items():
        hit = [each for each in cycle.laid if each in hits[name]]
        tally.hit.update(each.what for each in hit)
        tally.invalid += [f"{each} (in: {cycle})" for each in cycle.laid if each not in hit]
        state, why = endings.get(name, ("no run", ""))
        effects = world.effects_on(name)
        tally.endings[f"{state} {len(effects)}"] += 1
        wrong = _wrong(hit, state, why, effects)
        if wrong:
            tally.violations.append(f"{wrong} ({cycle}): {state} {effects}: {why}")
    return tally


def _wrong(hit: list[Laid], state: str, why: str, effects: list[str]) -> str | None:
    """What may not be the end of a story that broke once and was whole again long before it ended."""
    if len(effects) > 1:
        return "more than one effect"
    if state == "RESOLVED" and effects != ["app:v1"]:
        return "resolved, and nothing was changed"
    if state == "UNKNOWN":
        return "unknown, although the object could be read"
    if state == "BLOCKED" and not effects:
        says = [_LASTING[each.what] for each in hit if each.what in _LASTING]
        return None if any(each in why for each in says) else "blocked, and not by what befell it"
    if state != "RESOLVED":
        return "lost: nothing was done in the end"
    return None


async def clean(directory: Path, database_url: str) -> Counter[str]:
    """How often each kind is asked when nothing goes wrong: before the alert as the memory's, and from it on."""
    database = await open_database(database_url, size=2)
    try:
        async with shops(directory, database_url, ["shop-0"], clock=DrivenClock(database)) as world:
            await world.soaked()
            before = count(world.emulator.requests)
            await world.bad_releases(world.names)
            start = len(world.emulator.requests)
            await world.fire(world.names)
            await world.until_over(6 * 60)
            assert world.effects_on("shop-0") == ["app:v1"]
            asked = count(world.emulator.requests[start:])
    finally:
        await database.close()
    assert {each for each in before if not each.endswith(" namespaces")} == MEMORY
    return asked
