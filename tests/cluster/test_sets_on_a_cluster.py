"""StatefulSets and DaemonSets in real time, on the emulator or on a real cluster."""

import pytest

from remediator.run import State
from tests.cluster.live import Live

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
async def test_a_bad_release_of_a_set_is_rolled_back_and_verified(world: Live, kind: str) -> None:
    await world.create(world.releases.good("v1"), kind)
    await world.soaked()
    await world.release(world.releases.good("v2"))
    await world.rolled_out()
    await world.fire()
    await world.run_in(State.ACTED)
    await world.resolve()
    run = await world.run_in(State.RESOLVED, State.ESCALATED, State.BLOCKED)
    assert run.state == State.RESOLVED, run.why
    assert await world.version() == "v1"
    await world.rolled_out()


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
@pytest.mark.parametrize("bad", ["unpullable", "crashing"])
async def test_a_release_of_a_set_that_never_starts_is_rolled_back(world: Live, kind: str, bad: str) -> None:
    """A StatefulSet waits for its broken pod, whatever its template says, until that pod is evicted.

    A crashing pod may be ready for a moment between two crashes, and then its controller goes on by itself.
    """
    await world.create(world.releases.good("v1"), kind)
    await world.soaked()
    await world.release(getattr(world.releases, bad)("v2"))
    await world.fire()
    await world.run_in(State.ACTED)
    await world.resolve()
    run = await world.run_in(State.RESOLVED, State.ESCALATED, State.BLOCKED)
    assert run.state == State.RESOLVED, run.why
    changes = [each.action for each in await world.attempts()]
    evicted = ["evict_pod"] if kind == "statefulset" else []
    assert changes == ["rollback", *evicted] or (bad == "crashing" and changes == ["rollback"])
    await world.rolled_out()


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
async def test_a_set_is_restarted_once(world: Live, kind: str) -> None:
    await world.create(world.releases.good("v1"), kind)
    await world.fire("Hung")
    await world.run_in(State.ACTED)
    await world.resolve()
    await world.run_in(State.RESOLVED)
    assert len(await world.attempts()) == 1
