"""Which Services lead to a workload's pods, how many of them take traffic, and which Services miss them."""

from collections.abc import Iterable, Mapping, Sequence

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, objects, text

_SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice: the Service it belongs to (discovery/v1, LabelServiceName)."""
_MOST_NAMED = 10


class Leads(Value):
    """A Service that selects the pods, and what its EndpointSlices say."""

    service: str
    ready: int
    not_ready: int
    terminating: int
    """Pods that go away; they take traffic only when nothing else is there."""
    unready_pods: tuple[str, ...] = ()
    """At most ten of those that are not ready."""
    wrong_ports: tuple[str, ...] = ()
    """Names of container ports it leads to that no container has: nothing listens there."""


class Misses(Value):
    """A Service that leads nowhere although part of its selector fits the pods, or its name the workload."""

    service: str
    wanted: dict[str, str]
    """What its selector asks for and the pods do not have."""
    found: dict[str, str]
    """What the pods have under the same labels."""

    def __str__(self) -> str:
        parts = []
        for name, value in self.wanted.items():
            has = f"the pods have {name}={self.found[name]}" if name in self.found else "the pods have none"
            parts.append(f"{name}={value}, {has}")
        return f"Service {self.service} selects {'; '.join(parts)}"


def leading(
    template: JsonObject, services: Iterable[JsonObject], slices: Sequence[JsonObject]
) -> list[Leads]:
    """The Services whose selector fits the labels of this pod template, by name."""
    labels = _labels(template)
    fitting = [
        each for each in services if (selector := _selector(each)) and selector.items() <= labels.items()
    ]
    return sorted((_leads(each, template, slices) for each in fitting), key=lambda each: each.service)


def missing(
    name: str, template: JsonObject, services: Iterable[JsonObject], slices: Sequence[JsonObject]
) -> list[Misses]:
    """Services without any endpoint that were meant for the pods of the workload `name`, by name.

    Meant are those of its name, and those of whose selector at least one label fits. A Service that leads to
    somebody else's pods is somebody else's.
    """
    labels = _labels(template)
    found = []
    for each in services:
        selector, called = _selector(each), text(each, "metadata", "name")
        wanted = {key: value for key, value in selector.items() if labels.get(key) != value}
        meant = called == name or len(wanted) < len(selector)
        if wanted and meant and not _endpoints(called, slices):
            has = {key: labels[key] for key in wanted if key in labels}
            found.append(Misses(service=called, wanted=wanted, found=has))
    return sorted(found, key=lambda each: each.service)


def _leads(service: JsonObject, template: JsonObject, slices: Sequence[JsonObject]) -> Leads:
    name = text(service, "metadata", "name")
    counted: dict[str, list[str]] = {"ready": [], "not_ready": [], "terminating": []}
    for pod, conditions in _endpoints(name, slices).items():
        # An endpoint that says nothing of it is ready (discovery/v1, EndpointConditions).
        if at(conditions, "terminating") is True:
            counted["terminating"].append(pod)
        else:
            counted["not_ready" if at(conditions, "ready") is False else "ready"].append(pod)
    return Leads(
        service=name,
        **{state: len(pods) for state, pods in counted.items()},
        unready_pods=tuple(sorted(counted["not_ready"])[:_MOST_NAMED]),
        wrong_ports=_wrong_ports(service, template),
    )


def _endpoints(service: str, slices: Sequence[JsonObject]) -> dict[str, object]:
    """The conditions of each pod (or address, where no pod is named) of a Service: two families count once."""
    found: dict[str, object] = {}
    for each in slices:
        if text(each, "metadata", "labels", _SERVICE_NAME) == service:
            for endpoint in objects(each, "endpoints"):
                addresses = at(endpoint, "addresses") or ["?"]
                pod = text(endpoint, "targetRef", "name") or str(addresses[0])
                found[pod] = at(endpoint, "conditions") or {}
    return found


def _wrong_ports(service: JsonObject, template: JsonObject) -> tuple[str, ...]:
    named = {
        text(port, "name")
        for container in objects(template, "spec", "containers") + objects(template, "spec", "initContainers")
        for port in objects(container, "ports")
    }
    wanted = {at(port, "targetPort") for port in objects(service, "spec", "ports")}
    return tuple(sorted(each for each in wanted if isinstance(each, str) and each not in named))


def _selector(service: JsonObject) -> Mapping[str, str]:
    found = at(service, "spec", "selector")
    return found if isinstance(found, dict) else {}


def _labels(template: JsonObject) -> Mapping[str, str]:
    found = at(template, "metadata", "labels")
    return found if isinstance(found, dict) else {}
