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
CONTAINERS = 'container!="", container!="POD"'
"""What the series of cAdvisor's that are of one container have in common."""


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
    selector: Mapping[str, str] | None = None,
    pods: str | None = None,
) -> Told:
    """From metrics.k8s.io by a selector of labels, else from Prometheus by a pattern of the pods' names."""
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
    of_them = selecting(namespace, pods)
    cpu, not_told = await asked(prometheus, CPU, of_them)
    memory, _ = await asked(prometheus, MEMORY, of_them)
    if cpu or memory:
        return Told({"cpu": cpu, "memory": memory}, "Prometheus", (why,))
    return Told({}, "", (why, not_told or "Prometheus has no series of cAdvisor's about them"))


def selecting(namespace: str, pods: str | None) -> str:
    """The matchers of series about containers in a namespace, of the pods whose names fit the pattern."""
    of_pods = "" if pods is None else f'pod=~"{pods}", '
    return f'namespace="{namespace}", {of_pods}{CONTAINERS}'


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
