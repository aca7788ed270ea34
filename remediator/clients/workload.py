"""Reads a workload together with what its controller made: ReplicaSets and pods, as raw JSON."""

from dataclasses import dataclass

from remediator.clients.kube_read import KubeReader
from remediator.domain.target import Target
from remediator.domain.value import JsonObject


@dataclass(frozen=True, slots=True)
class SeenWorkload:
    """One workload as it was just read."""

    workload: JsonObject
    replica_sets: list[JsonObject]
    pods: list[JsonObject]

    @property
    def uid(self) -> str:
        return str(self.workload["metadata"]["uid"])

    @property
    def template(self) -> JsonObject:
        template: JsonObject = self.workload["spec"]["template"]
        return template


async def look_at(kube: KubeReader, target: Target) -> SeenWorkload | None:
    """The workload, its ReplicaSets and its pods; None when it does not exist.

    Raises Retryable or Permanent as the reader does. Selectors with matchExpressions are read
    unfiltered and narrowed by owner, so that nothing is missed.
    """
    workload = await kube.get(target.kind, target.namespace, target.name)
    if workload is None:
        return None
    selector = labels_of(workload)
    replica_sets = [
        each
        for each in await kube.list("replicaset", target.namespace, selector)
        if owner_uid(each) == workload["metadata"]["uid"]
    ]
    owners = {each["metadata"]["uid"] for each in replica_sets}
    pods = [each for each in await kube.list("pod", target.namespace, selector) if owner_uid(each) in owners]
    return SeenWorkload(workload, replica_sets, pods)


def labels_of(workload: JsonObject) -> dict[str, str] | None:
    """The matchLabels of a workload's selector; None when labels alone do not say it."""
    selector = (workload.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels")
    return dict(labels) if labels and not selector.get("matchExpressions") else None


def owner_uid(owned: JsonObject) -> str | None:
    """The uid of the controller that owns an object."""
    for reference in (owned.get("metadata") or {}).get("ownerReferences") or []:
        if reference.get("controller"):
            return str(reference.get("uid"))
    return None
