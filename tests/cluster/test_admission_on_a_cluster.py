"""The admission policies of deploy/, asked by a real API server, by dry runs.

The writes of tests/deploy/test_admission.py are sent by an account that RBAC lets do anything in a namespace of the
test's own. The emulator has no admission policies; there the expressions are judged by themselves.
"""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from tests.cluster.conftest import Cluster, namespace_made
from tests.deploy.admission import EXECUTOR, LOOK_ONLY, RESTART_ONLY, WRITES
from tests.deploy.manifests import DEPLOY, KUBECTL
from tests.deploy.writes import CLAIM, FACES, NOT_A_RESTART, OURS, RESTART, STOLEN, Write, workload
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


class RealCluster:
    """kubectl, as the administrator or as the executor."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._kubeconfig = cluster.kubeconfig
        self.namespace = namespace

    def kubectl(self, *arguments: str, sent: object = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [KUBECTL, "--kubeconfig", self._kubeconfig, *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=None if sent is None else json.dumps(sent),
        )

    def done(self, *arguments: str, sent: object = None) -> str:
        run = self.kubectl(*arguments, sent=sent)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def as_executor(self, *arguments: str, sent: object = None) -> str:
        """What was said against it."""
        run = self.kubectl("--as", EXECUTOR, "-n", self.namespace, *arguments, sent=sent)
        return run.stderr if run.returncode else ""

    def said_to(self, write: Write, before: dict[str, Any]) -> str:
        """What is said to this write, sent as the whole object."""
        return self.as_executor("replace", "--dry-run=server", "-f", "-", sent=write.done_to(before))

    def live(self, kind: str) -> dict[str, Any]:
        """As the API server keeps it, with its defaults."""
        found: dict[str, Any] = json.loads(self.done("-n", self.namespace, "get", kind, "web", "-o", "json"))
        del found["metadata"]["resourceVersion"]
        return found


@pytest.fixture
async def real(cluster: Cluster) -> AsyncIterator[RealCluster]:
    """A namespace with one workload of each kind, in which the executor may do anything by RBAC."""
    if not os.environ.get("REMEDIATOR_TEST_KUBECONFIG"):
        pytest.skip("needs a real API server: the emulator has no admission policies")
    async with namespace_made(cluster.kube, f"remediator-test-{uuid4().hex[:8]}") as name:
        made = RealCluster(cluster, name)
        for kind in FACES:
            made.done("create", "-f", "-", sent=workload(kind, name))
        account = EXECUTOR.removeprefix("system:serviceaccount:")
        granted = ("--clusterrole=cluster-admin", f"--serviceaccount={account}")
        made.done("-n", name, "create", "rolebinding", "all", *granted)
        yield made


@asynccontextmanager
async def in_force(real: RealCluster, paths: Sequence[str], write: Write) -> AsyncIterator[None]:
    """These policies, from when the API server knows them: that takes a moment."""
    files = [part for path in paths for part in ("-f", str(DEPLOY / path))]
    real.done("apply", *files)

    async def known() -> bool:
        return str(write.refused) in real.said_to(write, real.live("Deployment"))

    try:
        await until(known, "the policies are in force", seconds=30)
        yield
    finally:
        real.done("delete", "--ignore-not-found", *files)


async def test_the_executor_writes_what_it_has_to_and_nothing_that_is_worth_its_token(
    real: RealCluster,
) -> None:
    async with in_force(real, [WRITES], STOLEN[0]):
        for kind in FACES:
            before = real.live(kind)
            for write in (each for each in (*OURS, *STOLEN) if each.of(kind)):
                said = real.said_to(write, before)
                assert (write.refused or "") in said if write.refused else not said, (kind, write.name, said)
        _nothing_else(real)
        await _evictions(real)


def _nothing_else(real: RealCluster) -> None:
    for command in (
        ("delete", "deployment", "web", "--dry-run=server"),
        ("scale", "deployment", "web", "--replicas=5"),
        ("create", "configmap", "mine", "--dry-run=server"),
        ("create", "secret", "generic", "mine", "--dry-run=server"),
        ("create", "token", "default"),
        ("create", "rolebinding", "mine", "--clusterrole=view", "--user=kim", "--dry-run=server"),
        ("run", "shell", "--image=busybox", "--dry-run=server"),
    ):
        assert "does nothing else" in real.as_executor(*command), command
    # Asking about itself is a write to the API server, and has to stay possible.
    assert real.kubectl("--as", EXECUTOR, "-n", real.namespace, "auth", "can-i", "--list").returncode == 0
    assert real.as_executor("apply", "--dry-run=server", "-f", "-", sent=_event(real.namespace)) == ""
    warnings = real.done(
        "get", "validatingadmissionpolicy", "remediator-writes", "-o", "jsonpath={.status.typeChecking}"
    )
    assert "expressionWarnings" not in warnings, warnings


async def _evictions(real: RealCluster) -> None:
    """A pod by itself: those of the workloads are never made, and of no pod there is no admission, only 404."""

    async def made() -> bool:
        # The namespace's ServiceAccount comes a moment after the namespace.
        run = real.kubectl("-n", real.namespace, "run", "alone", "--image=registry.example/alone:v1")
        return run.returncode == 0

    await until(made, "a pod is there", seconds=30)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "alone", "namespace": real.namespace},
        "deleteOptions": {"dryRun": ["All"]},
    }
    path = f"/api/v1/namespaces/{real.namespace}/pods/alone/eviction"
    assert real.as_executor("create", "--raw", path, "-f", "-", sent=eviction) == ""


def _event(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1", "namespace": namespace},
        "involvedObject": {
            "kind": "Deployment",
            "name": "web",
            "namespace": namespace,
            "apiVersion": "apps/v1",
        },
        "reason": "RemediatorActed",
        "message": "restarted",
        "type": "Normal",
    }


async def test_where_only_restarts_are_let_through_nothing_else_is(real: RealCluster) -> None:
    async with in_force(real, [WRITES, RESTART_ONLY], NOT_A_RESTART[0]):
        for kind in FACES:
            before = real.live(kind)
            for write in (CLAIM, RESTART, *(each for each in NOT_A_RESTART if each.of(kind))):
                said = real.said_to(write, before)
                assert (write.refused or "") in said if write.refused else not said, (kind, write.name, said)


async def test_where_it_may_only_look_nothing_is_let_through(real: RealCluster) -> None:
    refused = "may only look here"
    async with in_force(real, [WRITES, LOOK_ONLY], Write("claim", CLAIM.change, refused)):
        for kind in FACES:
            before = real.live(kind)
            assert all(refused in real.said_to(write, before) for write in OURS if write.of(kind))
