"""The real kubectl, written by others, against the emulator: what people type works."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Emulator
from tests.sandbox.kubernetes_sets import workload
from tests.support.story import deployment
from tests.support.waiting import until

KUBECTL = str(Path(sys.executable).parent / "kubectl")


class Kubectl:
    """Types kubectl commands in namespace shop."""

    def __init__(self, cluster: Emulator, home: Path) -> None:
        self.cluster = cluster
        self._options = ["--server", cluster.url, "--namespace", "shop"]
        self._environment = {"HOME": str(home), "KUBECONFIG": str(home / "none"), "PATH": "/usr/bin:/bin"}

    async def __call__(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            *self._options,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
        )
        async with asyncio.timeout(60):
            printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with Emulator(anonymous_admin=True) as cluster:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        cluster.create(deployment("app:v1"))
        kubectl = Kubectl(cluster, tmp_path)
        await kubectl("rollout", "status", "deployment/api", "--timeout=30s")
        yield kubectl


async def test_a_release_is_watched_listed_and_undone(kubectl: Kubectl) -> None:
    await kubectl("set", "image", "deployment/api", "app=app:v2")
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/api", "--timeout=30s")
    history = await kubectl("rollout", "history", "deployment/api")
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["1", "2"]
    await kubectl("rollout", "undo", "deployment/api")
    await kubectl("rollout", "status", "deployment/api", "--timeout=30s")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert await kubectl("get", "deployment", "api", "-o", image) == "app:v1"
    history = await kubectl("rollout", "history", "deployment/api")
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["2", "3"]


async def test_a_restart_and_a_scale_are_carried_out(kubectl: Kubectl) -> None:
    await kubectl("rollout", "restart", "deployment/api")
    await kubectl("rollout", "status", "deployment/api", "--timeout=30s")
    await kubectl("scale", "deployment/api", "--replicas=3")

    async def three_ready() -> bool:
        return "3/3" in await kubectl("get", "deployments")

    await until(three_ready, "three pods are ready", seconds=30)


async def test_pods_and_their_logs_can_be_looked_at(kubectl: Kubectl) -> None:
    table = await kubectl("get", "pods")
    assert table.split()[:3] == ["NAME", "READY", "STATUS"]
    assert table.count("Running") == 2
    assert "listening" in await kubectl("logs", "deployment/api")
    assert "SuccessfulCreate" in await kubectl("get", "events")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_kind_with_controller_revisions_is_watched_listed_and_undone(
    kubectl: Kubectl, kind: str
) -> None:
    made = workload(kind, "shop/db:v1")
    kubectl.cluster.create({**made, "metadata": {**made["metadata"], "namespace": "shop"}})
    name = f"{kind.lower()}/db"
    await kubectl("rollout", "status", name, "--timeout=30s")
    await kubectl("set", "image", name, "db=shop/db:v2")
    await kubectl("rollout", "status", name, "--timeout=30s")
    assert "shop/db:v1" in await kubectl("rollout", "history", name, "--revision=1")
    await kubectl("rollout", "undo", name)
    await kubectl("rollout", "status", name, "--timeout=30s")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert await kubectl("get", name, "-o", image) == "shop/db:v1"
    history = await kubectl("rollout", "history", name)
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["2", "3"]
    await kubectl("rollout", "restart", name)
    await kubectl("rollout", "status", name, "--timeout=30s")
    assert f"{kind.lower()}.apps/db" in await kubectl("get", "controllerrevisions")
