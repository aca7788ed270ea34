"""The cluster these tests run on: the emulator, or a real one when REMEDIATOR_TEST_KUBECONFIG names it."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from remediator.clients.kube_connection import KubeConnection, connect
from remediator.sandbox.kubernetes import EVERYTHING, Account, Emulator
from tests.cluster.live import Live, live
from tests.cluster.releases import Releases

_ENABLED = {"remediator.io/enabled": "true"}


@dataclass(frozen=True)
class Cluster:
    """Where it is, who asks, and what runs there."""

    kubeconfig: Path
    kube: KubeConnection
    releases: Releases


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """The emulator in real time, or the real cluster."""
    real = os.environ.get("REMEDIATOR_TEST_KUBECONFIG")
    if real:
        kube = await connect(Path(real))
        image = os.environ.get("REMEDIATOR_TEST_IMAGE") or await _pause(kube)
        yield Cluster(Path(real), kube, Releases(image))
        await kube.close()
        return
    async with Emulator(accounts=(Account("admin", "admin-token", rules=(EVERYTHING,)),)) as emulator:
        kubeconfig = emulator.kubeconfig(tmp_path / "admin-kubeconfig", token="admin-token")
        kube = await connect(kubeconfig)
        yield Cluster(kubeconfig, kube, Releases(None))
        await kube.close()


@pytest.fixture
async def world(tmp_path: Path, real_time_database_url: str, cluster: Cluster) -> AsyncIterator[Live]:
    """A namespace of this test's own with a daemon at work on it."""
    async with (
        namespace_made(cluster.kube, f"remediator-test-{uuid4().hex[:8]}") as name,
        live(
            tmp_path, real_time_database_url, cluster.kubeconfig, cluster.kube, name, cluster.releases
        ) as made,
    ):
        yield made


@asynccontextmanager
async def namespace_made(kube: KubeConnection, name: str) -> AsyncIterator[str]:
    """A namespace that has opted in, deleted at the end of the block."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _ENABLED}}
    answer = await kube.call("POST", "/api/v1/namespaces", body=body)
    assert answer.status == 201, answer.body
    try:
        yield name
    finally:
        await kube.call("DELETE", f"/api/v1/namespaces/{name}")


async def _pause(kube: KubeConnection) -> str:
    """An image every node has: the one its pods' sandboxes are made of."""
    nodes = json.loads((await kube.call("GET", "/api/v1/nodes")).body)["items"]
    names = [name for node in nodes for image in node["status"].get("images", []) for name in image["names"]]
    tagged = [name for name in names if "pause" in name and "@" not in name]
    return tagged[0] if tagged else "registry.k8s.io/pause:3.10"
