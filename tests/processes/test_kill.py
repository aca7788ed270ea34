"""kill -9 of the daemon around the effect: whatever crashes, exactly one change reaches the cluster."""

import asyncio
from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import Action, ApplyThenHang, HangBeforeApplying
from remediator.sandbox.kubernetes.request import Call
from tests.processes.daemons import TOKEN, Scene, scene
from tests.support.databases import Databases
from tests.support.proof_lines import Prove
from tests.support.story import ALERT

pytestmark = [pytest.mark.kill, pytest.mark.timeout(240)]

POINTS = {
    "between intent and effect": HangBeforeApplying(),
    "between effect and record": ApplyThenHang(),
}


def _is_the_effect(call: Call, user: str) -> bool:
    return b"remediator.io~1attempt" in call.body


async def killed_once(world: Scene, action: Action) -> None:
    """The daemon is killed at its first write, another one takes over; returns when the run is resolved."""
    with world.daemon() as first:
        await first.ready()
        await world.soaked()
        await world.bad_release()
        fault = world.emulator.faults.add(Fault("PATCH", "/deployments/api$", action, when=_is_the_effect))
        assert await world.post(first) == 200
        await fault.reached()
        first.kill()
        world.emulator.faults.remove(fault)
    with world.daemon() as second:
        await second.ready()
        await second.run_in("ACTED", "RESOLVED", "ESCALATED", "UNKNOWN", "BLOCKED")
        world.alertmanager.resolve(ALERT)
        assert await world.post(second) == 200
        run = await second.run_in("RESOLVED", "ESCALATED", "UNKNOWN", "BLOCKED")
        assert run["state"] == "RESOLVED", run["why"]
    assert fault.hits == 1, "the fault did not fire: the run proves nothing"


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_around_the_effect_leads_to_exactly_one_effect(
    tmp_path: Path, real_time_database_url: str, point: str
) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        await killed_once(world, POINTS[point])
        assert world.effects() == ["app:v1"]


async def test_fifty_concurrent_identical_deliveries_to_two_daemons_are_one_run_and_one_effect(
    tmp_path: Path, real_time_database_url: str
) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        with world.daemon() as one, world.daemon() as two:
            await one.ready()
            await two.ready()
            await world.soaked()
            await world.bad_release()
            due = world.alertmanager.notifications()[-1:]
            answers = await asyncio.gather(
                *(
                    world.alertmanager.deliver(
                        f"{daemon.url}/api/v1/alertmanager", token=TOKEN, notifications=due
                    )
                    for daemon in [one, two] * 25
                )
            )
            assert {each.status for sent in answers for each in sent} == {200}
            await one.run_in("ACTED")
            world.alertmanager.resolve(ALERT)
            await world.post(two)
            await two.run_in("RESOLVED")
            episodes = (await one.get("/api/v1/episodes"))["episodes"]
            ours = [each for each in episodes if each["alertname"] == "HighErrorRate"]
            assert len(ours) == 1
            assert len((await two.get("/api/v1/runs"))["runs"]) == 1
        assert world.effects() == ["app:v1"]


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_proof_kill(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    """The two kills again and again; the emulator's effect log decides."""
    effects = []
    for number, action in enumerate(list(POINTS.values()) * 3):
        directory = tmp_path / str(number)
        directory.mkdir()
        with databases.clone("real") as database_url:
            effects.append(asyncio.run(_effects_after_a_kill(directory, database_url, action)))
    doubled, lost = sum(each > 1 for each in effects), sum(each < 1 for each in effects)
    proof("kill", kills=len(effects), doubled=doubled, lost=lost)
    assert (doubled, lost) == (0, 0)


async def _effects_after_a_kill(directory: Path, database_url: str, action: Action) -> int:
    async with scene(directory, database_url) as world:
        await killed_once(world, action)
        return len(world.effects())
