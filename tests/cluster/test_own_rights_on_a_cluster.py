"""A ServiceAccount with one verb more than declared, on the emulator or on a real cluster: nothing is changed."""

from pathlib import Path
from uuid import uuid4

import pytest

from remediator.domain.rights import Right
from remediator.run import State
from tests.cluster.conftest import Cluster, least_rights, namespace_made
from tests.cluster.live import live

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

MORE = Right("delete", "", "pods")


async def test_with_one_verb_more_a_bad_release_is_looked_at_and_left(
    tmp_path: Path, real_time_database_url: str, cluster: Cluster
) -> None:
    """With no verb more it is rolled back: test_rollback_on_a_cluster.py, by the same ServiceAccount."""
    async with (
        namespace_made(cluster.kube, f"remediator-test-{uuid4().hex[:8]}") as name,
        least_rights(cluster, name, tmp_path, [MORE]) as kubeconfig,
        live(tmp_path, real_time_database_url, kubeconfig, cluster.kube, name, cluster.releases) as world,
    ):
        await world.create(world.releases.good("v1"))
        await world.soaked()
        await world.release(world.releases.good("v2"))
        await world.rolled_out()
        await world.fire()
        run = await world.run_in(State.BLOCKED, State.RESOLVED, State.ACTED, State.ESCALATED)
        assert run.state == State.BLOCKED
        assert f"it may delete pods in namespace {name}" in (run.why or "")
        assert await world.version() == "v2"
        assert await world.attempts() == []
