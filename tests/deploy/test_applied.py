"""What deploy/ holds is taken from a real kubectl: by the emulator what it keeps, by a real one all."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.sandbox.kubernetes import Emulator
from tests.deploy.manifests import KUBECTL, LEVELS, OVERLAYS, Manifest, namespace_of, overlay

NOT_SERVED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "Job",
    "NetworkPolicy",
    "Role",
    "RoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
"""Kinds that the emulator does not keep, or only from a test: Jobs."""


def kubectl(
    kubeconfig: Path, *arguments: str, sent: list[Manifest] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KUBECTL, "--kubeconfig", kubeconfig, *arguments],
        check=False,
        capture_output=True,
        text=True,
        input=None if sent is None else yaml.safe_dump_all(sent),
    )


@pytest.mark.parametrize("name", OVERLAYS)
async def test_an_overlay_is_applied_and_applied_again_without_a_change(tmp_path: Path, name: str) -> None:
    served = [each for each in overlay(name) if each["kind"] not in NOT_SERVED]
    async with Emulator(anonymous_admin=True) as emulator:
        kubeconfig = emulator.kubeconfig(tmp_path / "kubeconfig")

        async def applied() -> list[str]:
            done = await asyncio.to_thread(
                kubectl, kubeconfig, "apply", "--validate=false", "-f", "-", sent=served
            )
            assert done.returncode == 0, done.stderr
            assert not done.stderr
            return done.stdout.splitlines()

        first = await applied()
        assert len(first) == len(served)
        assert [each for each in first if not each.endswith(" created")] == []
        again = [each for each in await applied() if not each.endswith(" unchanged")]
        # A PodDisruptionBudget's selector is replaced as a whole, so that kubectl always finds something to send.
        assert [each for each in again if not each.startswith("poddisruptionbudget.policy/")] == []


@pytest.mark.cluster
@pytest.mark.skipif(
    "REMEDIATOR_TEST_KUBECONFIG" not in os.environ,
    reason="needs a real API server: the emulator keeps no roles, policies or network policies",
)
@pytest.mark.parametrize(
    "made",
    [*map(overlay, OVERLAYS), *map(namespace_of, LEVELS)],
    ids=[*OVERLAYS, *(f"namespace-{each}" for each in LEVELS)],
)
def test_a_real_api_server_takes_everything_without_a_warning(made: tuple[Manifest, ...]) -> None:
    """As a dry run, in the namespace default: nothing of it stays."""
    kubeconfig = Path(os.environ["REMEDIATOR_TEST_KUBECONFIG"])
    moved: list[dict[str, Any]] = json.loads(json.dumps(made))
    for each in moved:
        if each["metadata"].get("namespace"):
            each["metadata"]["namespace"] = "default"
    done = kubectl(kubeconfig, "apply", "-n", "default", "--dry-run=server", "-f", "-", sent=moved)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == len(made)
