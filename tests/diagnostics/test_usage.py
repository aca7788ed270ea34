"""usage: what pods use beside what they ask for and may have, from whoever knows it."""

from decimal import Decimal
from typing import Any

import pytest

from remediator.clients.used import CPU, MEMORY
from remediator.diagnostics.usage import _GROWTH, _THROTTLED, Usage
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.workloads.usage import from_pod_metrics, usage_of
from tests.diagnostics.looking import looked, pods_of, runs
from tests.guards.facts import Facts

RESOURCES = {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
OF_API = 'namespace="shop", pod=~"api-[a-z0-9]+-[a-z0-9]{5}", container!="", container!="POD"'


def metrics_of(pod: str, cpu: str, memory: str) -> dict[str, Any]:
    """As metrics-server answers, with the labels of the pod."""
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": pod, "namespace": "shop", "labels": {"app": "api"}},
        "timestamp": "2026-01-05T12:00:30Z",
        "window": "15.026s",
        "containers": [{"name": "app", "usage": {"cpu": cpu, "memory": memory}}],
    }


def series(facts: Facts, query: str, values: dict[str, float]) -> None:
    found = [({"pod": pod, "container": "app"}, value) for pod, value in values.items()]
    facts.prometheus.answer(query.replace("%s", OF_API), found)


async def test_usage_stands_beside_request_and_limit(facts: Facts) -> None:
    await runs(facts, resources=RESOURCES)
    first, second = pods_of(facts)
    facts.emulator.create(metrics_of(first, "450123456n", "32768Ki"))
    facts.emulator.create(metrics_of(second, "100m", "64Mi"))
    evidence = await looked(facts, Usage())
    assert not evidence.failed
    assert evidence.summary == (
        "0.55 cores and 96 MiB in 2 pods (metrics.k8s.io); "
        f"fullest app of {first}: 90% of its cpu limit; fullest app of {first}: 25% of its memory limit"
    )
    row = evidence.details["containers"][0]
    assert (row["cpu_request"], row["cpu_limit"], row["memory_limit"]) == (0.25, 0.5, 128 * 2**20)


async def test_a_cluster_without_metrics_says_so_and_prometheus_is_asked(facts: Facts) -> None:
    await runs(facts, resources=RESOURCES)
    series(facts, CPU, dict.fromkeys(pods_of(facts), 0.1))
    series(facts, MEMORY, dict.fromkeys(pods_of(facts), 2.0**20))
    evidence = await looked(facts, Usage())
    assert not evidence.failed
    assert evidence.details["source"] == "Prometheus"
    assert evidence.summary.startswith("0.20 cores and 2 MiB in 2 pods (Prometheus)")
    assert evidence.summary.endswith("this cluster has no metrics.k8s.io")


@pytest.mark.parametrize("status", [403, 503])
async def test_metrics_that_cannot_be_had_are_no_reason_to_give_up(facts: Facts, status: int) -> None:
    await runs(facts, resources=RESOURCES)
    facts.emulator.create(metrics_of(pods_of(facts)[0], "1", "1Mi"))
    facts.emulator.faults.add(Fault("GET", "/metrics.k8s.io/", AnswerStatus(status, "No", "no"), times=None))
    series(facts, CPU, dict.fromkeys(pods_of(facts), 0.1))
    evidence = await looked(facts, Usage())
    assert evidence.details["source"] == "Prometheus"
    assert str(status) in evidence.summary


async def test_what_nobody_knows_is_a_look_that_failed(facts: Facts) -> None:
    await runs(facts)
    evidence = await looked(facts, Usage())
    assert evidence.failed
    assert evidence.summary.startswith("what its pods use is not known; this cluster has no metrics.k8s.io")


async def test_throttling_and_growth_come_from_prometheus(facts: Facts) -> None:
    await runs(facts, resources=RESOURCES)
    first, second = pods_of(facts)
    for pod in (first, second):
        facts.emulator.create(metrics_of(pod, "1m", "64Mi"))
    series(facts, _THROTTLED.replace("%s", OF_API, 1), {first: 0.42, second: float("nan")})
    series(facts, _GROWTH, {second: 32.0 * 2**20})
    evidence = await looked(facts, Usage())
    assert "throttled in up to 42% of periods" in evidence.summary
    assert "memory reaches its limit in 2.0 h if it grows on so" in evidence.summary


async def test_without_prometheus_usage_is_known_and_the_rest_is_said(facts: Facts) -> None:
    await runs(facts, resources=RESOURCES)
    facts.emulator.create(metrics_of(pods_of(facts)[0], "1m", "64Mi"))
    await facts.prometheus.stop()
    evidence = await looked(facts, Usage())
    assert not evidence.failed
    assert "throttling and growth: cannot connect" in evidence.summary


def test_a_container_without_limits_and_numbers_that_are_none_are_left_out() -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app"}]}}
    told = metrics_of("p", "lots", "1Mi")
    (row,) = usage_of([pod], from_pod_metrics([told, {"containers": "none"}]), {}, {("p", "app"): Decimal(9)})
    assert (row.cpu, row.memory, row.fullest, row.hours_left) == (None, 2**20, 0.0, None)
