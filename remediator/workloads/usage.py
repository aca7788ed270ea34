"""What pods use of processor and memory, beside what their containers ask for and may have."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value
from remediator.workloads.containers import amount, containers_of
from remediator.workloads.fields import at, objects, text
from remediator.workloads.quantity import quantity

Used: TypeAlias = Mapping[tuple[str, str], Decimal]
"""Cores or bytes by pod and container."""
RESOURCES = ("cpu", "memory")
_OF_PODS = {"deployment": "-[a-z0-9]+-[a-z0-9]{5}", "statefulset": "-[0-9]+", "daemonset": "-[a-z0-9]{5}"}
"""How the names of a workload's pods go on after its own."""
CONTAINERS = 'container!="", container!="POD"'
"""What the series of cAdvisor's that are of one container have in common."""


class Usage(Value):
    """One container of one pod; cpu in cores, memory in bytes, None where it is not known or not set."""

    pod: str
    container: str
    cpu: float | None
    cpu_request: float | None
    cpu_limit: float | None
    memory: float | None
    memory_request: float | None
    memory_limit: float | None
    throttled: float | None = None
    """The share of periods in which it had to wait for the processor."""
    memory_growth: float | None = None
    """Bytes an hour, by the last hour."""

    @property
    def fullest(self) -> float:
        """The larger share of a limit that it uses; 0 where there is no limit."""
        return max(share(self.cpu, self.cpu_limit) or 0.0, share(self.memory, self.memory_limit) or 0.0)

    @property
    def hours_left(self) -> float | None:
        """Until memory reaches its limit, if it goes on growing so; None when it does not grow."""
        if (
            not self.memory_growth
            or self.memory_growth <= 0
            or self.memory is None
            or self.memory_limit is None
        ):
            return None
        return max(0.0, (self.memory_limit - self.memory) / self.memory_growth)


def series_of(target: Target) -> str:
    """Matchers of cAdvisor's series about the containers of its pods."""
    name = target.name.replace(".", r"\\.")
    return f'namespace="{target.namespace}", pod=~"{name}{_OF_PODS[target.kind]}", {CONTAINERS}'


def share(part: float | None, whole: float | None) -> float | None:
    """The share `part` has of `whole`; None when either is not known or there is no whole."""
    return part / whole if part is not None and whole else None


def from_pod_metrics(listed: Iterable[JsonObject]) -> dict[str, dict[tuple[str, str], Decimal]]:
    """Cores and bytes by resource, from PodMetrics (metrics.k8s.io/v1beta1). What cannot be read is left out."""
    found: dict[str, dict[tuple[str, str], Decimal]] = {resource: {} for resource in RESOURCES}
    for pod in listed:
        for container in objects(pod, "containers"):
            for resource, used in found.items():
                try:
                    value = quantity(at(container, "usage", resource))
                except ValueError:
                    continue
                used[text(pod, "metadata", "name"), text(container, "name")] = value
    return found


def usage_of(
    pods: Sequence[JsonObject], used: Mapping[str, Used], throttled: Used, growth: Used
) -> list[Usage]:
    """A row for each container that runs in these pods, the fullest first."""
    rows = [
        _row(text(pod, "metadata", "name"), container, used, throttled, growth)
        for pod in pods
        for container in containers_of(pod)
    ]
    return sorted(rows, key=lambda each: (-each.fullest, each.pod, each.container))


def _row(pod: str, container: JsonObject, used: Mapping[str, Used], throttled: Used, growth: Used) -> Usage:
    key = (pod, text(container, "name"))
    numbers = {
        name: _number(value)
        for resource in RESOURCES
        for name, value in (
            (resource, used.get(resource, {}).get(key)),
            (f"{resource}_request", amount(container, "requests", resource)),
            (f"{resource}_limit", amount(container, "limits", resource)),
        )
    }
    return Usage(
        pod=pod,
        container=key[1],
        throttled=_number(throttled.get(key)),
        memory_growth=_number(growth.get(key)),
        **numbers,
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
