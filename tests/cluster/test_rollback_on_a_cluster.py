"""The main job in real time, on the emulator or on a real cluster: an alert becomes a verified rollback."""

import pytest

from remediator.domain.change import RESTARTED_AT
from remediator.run import State
from tests.cluster.live import Live

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


async def test_with_the_version_before_bad_as_well_the_one_before_that_is_chosen(world: Live) -> None:
    await world.create(world.releases.good("v1"))
    await world.soaked()
    await world.release(world.releases.unpullable("v2"))
    await world.release(world.releases.crashing("v3"))
    await world.fire()
    await world.run_in(State.ACTED)
    assert await world.version() == "v1"


async def test_a_restart_between_two_releases_is_not_taken_for_a_release(world: Live) -> None:
    await world.create(world.releases.good("v1"))
    await world.soaked()
    await world.release(world.releases.good("v2"))
    await world.rolled_out()
    stamped = world.releases.good("v2")
    stamped["metadata"]["annotations"][RESTARTED_AT] = "2026-01-05T12:00:00Z"
    await world.release(stamped)
    await world.rolled_out()
    await world.fire()
    await world.run_in(State.ACTED)
    assert await world.version() == "v1"


async def test_a_hotfix_rolled_out_after_the_alert_is_left_alone(world: Live) -> None:
    await world.create(world.releases.good("v1"))
    await world.soaked()
    await world.release(world.releases.good("v2"))
    await world.rolled_out()
    await world.soaked()
    alert = {"alertname": "HighErrorRate", "namespace": world.namespace, "deployment": "api"}
    world.alertmanager.fire(alert)
    await world.release(world.releases.good("v3-hotfix"))
    await world.rolled_out()
    await world.deliver()
    run = await world.run_in(State.BLOCKED, State.ACTED, State.RESOLVED)
    assert run.state == State.BLOCKED
    assert "somebody's fix" in (run.why or "")
    assert await world.version() == "v3-hotfix"


async def test_a_restart_replaces_the_pods_once(world: Live) -> None:
    await world.create(world.releases.good("v1"))
    await world.fire("Hung")
    await world.run_in(State.ACTED)
    await world.resolve()
    await world.run_in(State.RESOLVED)
    template = (await world.workload())["spec"]["template"]
    assert RESTARTED_AT in template["metadata"]["annotations"]
    assert len(await world.attempts()) == 1
