"""What containers use of processor and memory, from whoever knows it."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from remediator.clients.kube_answer import UnknownApi
from remediator.clients.kube_read import KubeReader
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.workloads.usage import Used, from_pod_metrics

CPU = "sum by (pod, container) (rate(container_cpu_usage_seconds_total{%s}[5m]))"
MEMORY = "max by (pod, container) (container_memory_working_set_bytes{%s})"


class Told(NamedTuple):
    """What is used by resource, who said so, and what else was asked in vain."""

    used: Mapping[str, Used]
    source: str
    """Empty when nobody says anything."""
    without: tuple[str, ...] = ()


async def used_in(
    kube: KubeReader,
    prometheus: PrometheusClient,
    namespace: str,
    series: str,
    selector: Mapping[str, str] | None = None,
) -> Told:
    """From metrics.k8s.io by a selector of labels, else from Prometheus by the matchers of cAdvisor's series."""
    why, listed = "", list[JsonObject]()
    try:
        listed = await kube.list("podmetrics", namespace, selector)
    except UnknownApi:
        why = "this cluster has no metrics.k8s.io"
    except RemediatorError as reason:
        why = reason.sentence
    if not why and listed:
        return Told(from_pod_metrics(listed), "metrics.k8s.io")
    why = why or "metrics.k8s.io knows nothing of these pods"
    cpu, not_told = await asked(prometheus, CPU, series)
    memory, _ = await asked(prometheus, MEMORY, series)
    if cpu or memory:
        return Told({"cpu": cpu, "memory": memory}, "Prometheus", (why,))
    return Told({}, "", (why, not_told or "Prometheus has no series of cAdvisor's about them"))


async def asked(prometheus: PrometheusClient, query: str, matchers: str) -> tuple[Used, str]:
    """What Prometheus answers by pod and container; nothing, and why, when it does not."""
    try:
        samples = await prometheus.query(query.replace("%s", matchers))
    except RemediatorError as reason:
        return {}, reason.sentence
    return {
        (each.labels.get("pod", ""), each.labels.get("container", "")): Decimal(each.value)
        for each in samples
        if math.isfinite(each.value)
    }, ""
