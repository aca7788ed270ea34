"""The counts a rollout is judged by, read from each kind of workload in its own words."""

from dataclasses import dataclass

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, count, text


class Numbers(Value):
    """One reading of a workload."""

    desired: int
    replicas: int
    """Pods of all revisions."""
    updated: int
    """Pods of the newest revision."""
    ready: int
    available: int
    held_back: int = 0
    """Pods that a StatefulSet's partition keeps at the revision before."""
    generation: int
    observed_generation: int

    @property
    def observed(self) -> bool:
        """Whether the controller has seen the latest write. On a Deployment an annotation is a write too."""
        return self.observed_generation >= self.generation

    @property
    def replaced(self) -> bool:
        """Whether every pod that is to run the newest revision does, and there are as many as wanted."""
        return self.replicas == self.desired and self.updated >= max(0, self.desired - self.held_back)

    @property
    def complete(self) -> bool:
        """Whether the rollout has nothing left to do and every wanted pod is available."""
        return self.observed and self.replaced and self.available >= self.desired


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the counts are called; the first is of the spec where it is `replicas` alone."""

    desired: tuple[str, str]
    replicas: str
    updated: str
    ready: str
    available: str


_REPLICAS = _Fields(("spec", "replicas"), "replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
_FIELDS = {
    "Deployment": _REPLICAS,
    "StatefulSet": _REPLICAS,
    "DaemonSet": _Fields(
        ("status", "desiredNumberScheduled"),
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberReady",
        "numberAvailable",
    ),
}


def rollout_numbers(workload: JsonObject) -> Numbers | None:
    """The counts, or None when one is missing or malformed. Status leaves out those that are zero."""
    status, fields = at(workload, "status"), _FIELDS.get(text(workload, "kind"))
    if not isinstance(status, dict) or fields is None:
        return None
    counted = {
        "desired": count(workload, *fields.desired),
        "replicas": _or_zero(status, fields.replicas),
        "updated": _or_zero(status, fields.updated),
        "ready": _or_zero(status, fields.ready),
        "available": _or_zero(status, fields.available),
        "held_back": _or_zero(at(workload, "spec", "updateStrategy", "rollingUpdate"), "partition"),
        "generation": count(workload, "metadata", "generation"),
        "observed_generation": _or_zero(status, "observedGeneration"),
    }
    whole = {name: number for name, number in counted.items() if number is not None}
    return Numbers(**whole) if len(whole) == len(counted) else None


def _or_zero(fields: object, name: str) -> int | None:
    return count({name: 0, **fields}, name) if isinstance(fields, dict) else 0
