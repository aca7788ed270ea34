"""describe: limits, requests and probes, what conditions say, and which pods are in trouble."""

from typing import Any

import pytest

from remediator.clients.workload import SeenWorkload
from remediator.diagnostics.describe import Describe, _said
from remediator.workloads.containers import probes_of
from tests.diagnostics.looking import looked, passes, runs
from tests.guards.facts import Facts

PROBE = {"httpGet": {"path": "/healthz", "port": 8080}}


async def test_a_container_without_limits_is_told(facts: Facts) -> None:
    await runs(facts, resources={"requests": {"cpu": "100m"}})
    evidence = await looked(facts, Describe())
    assert evidence.summary == "app has no memory limit; 2 pods, none in trouble"
    (container,) = evidence.details["containers"]
    assert container["requests"] == {"cpu": "100m"}
    assert container["probes"] == {
        "readiness": "http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3"
    }
    assert evidence.details["pods_without_trouble"] == 2


async def test_pods_in_trouble_come_with_why(facts: Facts) -> None:
    await runs(facts, "app:crash")
    await passes(facts, 120)
    evidence = await looked(facts, Describe())
    assert evidence.summary.endswith("2 of 2 pods in trouble")
    first = evidence.details["pods"][0]["containers"][0]
    assert first["waits_for"] == "CrashLoopBackOff"
    assert first["died"]["exit_code"] == 1
    assert {each["type"] for each in evidence.details["pods"][0]["conditions"]} == {
        "ContainersReady",
        "Ready",
    }


async def test_a_rollout_past_its_deadline_is_told_by_its_condition(facts: Facts) -> None:
    await runs(facts, "app:never-ready")
    await passes(facts, 700)
    evidence = await looked(facts, Describe())
    assert "Progressing is False: ProgressDeadlineExceeded" in evidence.summary


async def test_a_workload_that_is_gone_is_evidence_too(facts: Facts) -> None:
    evidence = await looked(facts, Describe())
    assert (evidence.failed, evidence.summary) == (True, "deployment/shop/api does not exist")


def test_a_container_killed_for_want_of_memory_is_told_with_its_limit() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-05T12:00:00Z"}
    status = {"name": "app", "restartCount": 3, "lastState": {"terminated": ended}}
    pod = {"metadata": {"name": "api-1"}, "status": {"containerStatuses": [status]}}
    containers = [{"name": "app", "limits": {"memory": "128Mi"}, "concerns": []}]
    seen = SeenWorkload({"metadata": {"uid": "1"}}, [], [pod])
    ill = [{"containers": [{"name": "app", "waits_for": "", "died": {"reason": "OOMKilled"}}]}]
    assert list(_said(seen, containers, ill)) == [
        "app was killed for want of memory (limit 128Mi)",
        "1 of 1 pods in trouble",
    ]


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"tcpSocket": {"port": "db"}, "periodSeconds": 5}, "tcp-socket :db delay=0s timeout=1s period=5s"),
        ({"grpc": {"port": 9000}}, "grpc :9000 delay=0s"),
        ({"exec": {"command": ["pg_isready", "-q"]}}, "exec [pg_isready -q] delay=0s"),
        ({"httpGet": {"scheme": "HTTPS", "port": "web", "path": "/x"}}, "http-get https://:web/x delay=0s"),
        ({}, "unknown delay=0s"),
    ],
)
def test_probes_stand_on_one_line_each(probe: dict[str, Any], said: str) -> None:
    assert probes_of({"livenessProbe": probe})["liveness"].startswith(said)
