"""The cluster these tests run on: the emulator, or a real one when REMEDIATOR_TEST_KUBECONFIG names it."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from remediator.clients.kube_connection import KubeConnection, connect
from remediator.domain.least_roles import ServiceAccount, cluster_role, roles
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Needed, Right
from remediator.sandbox.kubernetes import EVERYTHING, AccessRule, Account, Emulator
from remediator.trial.account import least_account
from tests.cluster.live import RULES, Live, live
from tests.cluster.releases import Releases

_ENABLED = {"remediator.io/enabled": "true"}


@dataclass(frozen=True)
class Cluster:
    """Where it is, who asks, and what runs there."""

    kubeconfig: Path
    """Of somebody who may do everything."""
    kube: KubeConnection
    releases: Releases
    emulator: Emulator | None
    """None for a real one."""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """The emulator in real time, or the real cluster."""
    real = os.environ.get("REMEDIATOR_TEST_KUBECONFIG")
    if real:
        kube = await connect(Path(real))
        image = os.environ.get("REMEDIATOR_TEST_IMAGE") or await _pause(kube)
        yield Cluster(Path(real), kube, Releases(image), None)
        await kube.close()
        return
    async with Emulator(accounts=(Account("admin", "admin-token", rules=(EVERYTHING,)),)) as emulator:
        kubeconfig = emulator.kubeconfig(tmp_path / "admin-kubeconfig", token="admin-token")
        kube = await connect(kubeconfig)
        yield Cluster(kubeconfig, kube, Releases(None), emulator)
        await kube.close()


@pytest.fixture
def rules() -> str:
    """What the daemon of `world` goes by."""
    return RULES


@pytest.fixture
async def world(
    tmp_path: Path, real_time_database_url: str, cluster: Cluster, rules: str
) -> AsyncIterator[Live]:
    """A namespace of this test's own with a daemon at work on it."""
    async with (
        namespace_made(cluster.kube, f"remediator-test-{uuid4().hex[:8]}") as name,
        least_rights(cluster, name, tmp_path) as kubeconfig,
        live(
            tmp_path, real_time_database_url, kubeconfig, cluster.kube, name, cluster.releases, rules
        ) as made,
    ):
        yield made


@asynccontextmanager
async def least_rights(
    cluster: Cluster, namespace: str, directory: Path, more: Sequence[Right] = ()
) -> AsyncIterator[Path]:
    """The kubeconfig of a ServiceAccount with what `remediator rbac` prints, and `more` in the namespace."""
    if cluster.emulator is not None:
        least = least_account("remediator", "least-token")
        added = [AccessRule((verb,), (group,), (each,), (namespace,)) for verb, group, each in more]
        cluster.emulator.access.add(replace(least, rules=(*least.rules, *added)))
        yield cluster.emulator.kubeconfig(directory / "least-kubeconfig", token="least-token")
        return
    account = ServiceAccount(namespace=namespace, name="remediator")
    beside = [Needed(right, "act", "by a slip") for right in more]
    granted = [*cluster_role(EVERYWHERE, account), *roles([*IN_A_NAMESPACE, *beside], namespace, account)]
    for each in granted[:2]:  # names of the whole cluster, which a daemon that is installed there may have
        each["metadata"] = {**each["metadata"], "name": namespace}
    granted[1]["roleRef"] = {**granted[1]["roleRef"], "name": namespace}
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    try:
        await created(
            cluster.kube,
            accounts,
            {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "remediator"}},
        )
        for each in granted:
            within = f"namespaces/{namespace}/" if "namespace" in each["metadata"] else ""
            path = f"/apis/rbac.authorization.k8s.io/v1/{within}{each['kind'].lower()}s"
            await created(cluster.kube, path, each)
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = (await created(cluster.kube, f"{accounts}/remediator/token", asked))["status"]["token"]
        yield with_token(cluster.kubeconfig, token, directory / "least-kubeconfig")
    finally:
        for kind in ("clusterrolebindings", "clusterroles"):
            await cluster.kube.call("DELETE", f"/apis/rbac.authorization.k8s.io/v1/{kind}/{namespace}")


async def created(kube: KubeConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await kube.call("POST", path, body=body)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def with_token(kubeconfig: Path, token: str, path: Path) -> Path:
    """The same cluster, asked by whoever has this token."""
    config = yaml.safe_load(kubeconfig.read_text())
    for each in config["clusters"]:
        authority = each["cluster"].get("certificate-authority")
        if authority is not None:
            each["cluster"]["certificate-authority"] = str(kubeconfig.parent / authority)
    for each in config["users"]:
        each["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path


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
