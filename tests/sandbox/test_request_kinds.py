"""The check at the end of a run: no request is answered that nothing vouches for."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sandbox.kubernetes_documented_requests import DOCUMENTED
from tests.support.request_kinds import kind_of, replayed_kinds, unproven

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
JSON_PATCH = "application/json-patch+json"


@pytest.mark.parametrize(
    ("request_line", "content_type", "kind"),
    [
        (("GET", f"{DEPLOYMENTS}/api", {}), "", "get deployments.apps"),
        (("GET", DEPLOYMENTS, {"watch": "1"}), "application/json", "watch deployments.apps"),
        (("GET", "/api/v1/namespaces/shop/pods/api/log", {}), "", "get pods/log"),
        (
            ("PATCH", f"{DEPLOYMENTS}/api/scale", {}),
            JSON_PATCH,
            f"patch deployments.apps/scale with {JSON_PATCH}",
        ),
        (("GET", "/version", {}), "", "get /version"),
    ],
)
def test_a_kind_is_a_verb_a_resource_and_a_content_type(
    request_line: tuple[str, str, dict[str, str]], content_type: str, kind: str
) -> None:
    assert kind_of(*request_line, content_type) == kind


def test_what_was_replayed_is_vouched_for_and_what_was_not_is_named_with_its_test() -> None:
    proven = replayed_kinds()
    gathered = {
        f"patch deployments.apps with {JSON_PATCH}": "tests/a.py::test_a",
        "list things": "tests/b.py::test_b",
    }
    assert unproven(gathered, proven) == [
        (
            "No recorded exchange and no documentation vouches for how the emulator answers `list things`, "
            "sent by tests/b.py::test_b."
        )
    ]


def test_what_is_documented_was_not_recorded() -> None:
    both = set(DOCUMENTED) & replayed_kinds()
    assert both == {"get jobs.batch", "list pods.metrics.k8s.io"}, "of these only that they are not there"


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["in one process", "in a worker"])
def test_a_run_fails_for_a_request_that_nothing_vouches_for(tmp_path: Path, workers: Sequence[str]) -> None:
    asking = tmp_path / "test_asking.py"
    asking.write_text(_ASKS)
    plugin = [
        "-p",
        "tests.support.session_plugins",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *workers, str(asking)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert "`list secrets`" not in run.stdout
    assert "answers `deletecollection pods`, sent by ::test_asks." in run.stdout


_ASKS = """
import aiohttp

from remediator.sandbox.kubernetes import Emulator


async def test_asks():
    async with Emulator(anonymous_admin=True) as cluster, aiohttp.ClientSession() as session:
        await session.get(cluster.url + "/api/v1/namespaces/default/secrets")
        await session.delete(cluster.url + "/api/v1/namespaces/default/pods")
"""
