"""Other writers, in real time, on the emulator or on a real cluster: they win, or they come too late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from remediator.clients.kube_connection import connect
from remediator.run import State
from tests.cluster.between import Between, between
from tests.cluster.conftest import Cluster, least_rights, namespace_made
from tests.cluster.live import Live, daemon_at_work, live
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


class Home(NamedTuple):
    """A namespace of this test's own, and how a daemon with rights there reaches it."""

    namespace: str
    kubeconfig: Path


@pytest.fixture
async def home(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Home]:
    async with (
        namespace_made(cluster.kube, f"remediator-test-{uuid4().hex[:8]}") as name,
        least_rights(cluster, name, tmp_path) as kubeconfig,
    ):
        yield Home(name, kubeconfig)


@pytest.fixture
async def wire(home: Home) -> AsyncIterator[Between]:
    """What stands between the first daemon and the cluster."""
    kube = await connect(home.kubeconfig)
    async with between(kube) as made:
        yield made
    await kube.close()


@pytest.fixture
async def world(
    tmp_path: Path, real_time_database_url: str, cluster: Cluster, home: Home, wire: Between
) -> AsyncIterator[Live]:
    """A daemon at work in `home` that reaches it over `wire`."""
    leads_there = wire.kubeconfig(tmp_path / "wire-kubeconfig")
    async with live(
        tmp_path, real_time_database_url, leads_there, cluster.kube, home.namespace, cluster.releases
    ) as made:
        yield made


async def bad_release(world: Live) -> None:
    """v1 has soaked, v2 runs and fails its users."""
    await world.create(world.releases.good("v1"))
    await world.soaked()
    await world.release(world.releases.good("v2"))
    await world.rolled_out()


async def answered(wire: Between, already: int = 0) -> list[int]:
    """What the API server said to the effects, once it has said more than `already` answers."""

    async def more() -> bool:
        return len(wire.answers) > already

    await until(more, "the API server answered the effect")
    return wire.answers


async def test_a_person_who_is_quicker_than_the_rollback_wins(world: Live, wire: Between) -> None:
    await bad_release(world)

    async def hotfix() -> None:
        await world.release(world.releases.good("v3-hotfix"), who="kubectl")

    wire.before_an_effect = hotfix
    await world.fire()
    run = await world.run_in(State.ESCALATED, State.RESOLVED, State.ACTED)
    assert run.state == State.ESCALATED
    assert wire.answers == [422]
    assert await world.version() == "v3-hotfix"
    assert [each.outcome for each in await world.attempts()] == ["superseded"]
    assert "kubectl changed the template" in (run.why or "")


async def test_a_workload_deleted_and_made_anew_meanwhile_is_another_one(world: Live, wire: Between) -> None:
    await bad_release(world)

    async def made_anew() -> None:
        await world.delete()
        await world.create(world.releases.good("v2"))

    wire.before_an_effect = made_anew
    await world.fire()
    run = await world.run_in(State.ESCALATED, State.RESOLVED, State.ACTED)
    assert run.state == State.ESCALATED
    assert await answered(wire) == [422]
    assert await world.version() == "v2"
    assert [each.outcome for each in await world.attempts()] == ["target_replaced"]


async def test_a_controller_that_reverts_after_five_seconds_ends_it(world: Live, wire: Between) -> None:
    await bad_release(world)
    await world.fire()
    await world.run_in(State.ACTED)
    clock = world.daemon.clock
    reverts_at = clock.now() + timedelta(seconds=5)

    async def five_seconds_later() -> bool:
        return clock.now() >= reverts_at

    await until(five_seconds_later, "five seconds have passed")
    await world.release(world.releases.good("v2"), who="some-operator")
    run = await world.run_in(State.ESCALATED, State.RESOLVED)
    assert run.state == State.ESCALATED
    assert "some-operator" in (run.why or "")
    assert await world.version() == "v2"
    assert wire.answers == [200]
    assert [each.outcome for each in await world.attempts()] == ["applied"]


async def test_of_two_daemons_one_acts_and_the_late_write_of_the_other_is_refused(
    world: Live, wire: Between, home: Home
) -> None:
    await bad_release(world)
    wire.hold = late = asyncio.Event()
    second = world.daemon.settings.model_copy(
        update={
            "kubernetes": world.daemon.settings.kubernetes.model_copy(update={"kubeconfig": home.kubeconfig})
        }
    )
    await world.fire()

    async def parked() -> int:
        return wire.parked

    await until(parked, "the first daemon has sent its effect")
    async with daemon_at_work(second):
        await world.run_in(State.ACTED)
        assert await world.version() == "v1"
        generation = (await world.workload())["metadata"]["generation"]
        already = len(wire.answers)
        late.set()
        assert (await answered(wire, already))[-1] == 422
        assert (await world.workload())["metadata"]["generation"] == generation
        await world.resolve()
        await world.run_in(State.RESOLVED)
    assert [(each.outcome, each.sends) for each in await world.attempts()] == [("applied", 2)]
