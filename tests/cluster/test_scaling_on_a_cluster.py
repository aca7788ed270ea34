"""More replicas in real time, on the emulator or on a real cluster."""

import pytest

from remediator.run import State
from tests.cluster.live import Live

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kind", ["deployment", "statefulset"])
async def test_a_load_gets_more_pods_and_they_come(world: Live, kind: str) -> None:
    await world.create(world.releases.good("v1"), kind)
    world.prometheus.answer("load", 0.9)
    before = (await world.workload())["spec"]["replicas"]
    await world.fire("Load")
    await world.run_in(State.ACTED)
    await world.resolve()
    run = await world.run_in(State.RESOLVED, State.ESCALATED, State.BLOCKED)
    assert run.state == State.RESOLVED, run.why
    found = await world.workload()
    assert found["spec"]["replicas"] == found["status"]["readyReplicas"] == min(before + 2, 3) > before
    assert len(await world.attempts()) == 1
