"""Reads a workload together with what its controller made: its revisions and pods, as raw JSON."""

from dataclasses import dataclass

from remediator.clients.kube_read import KubeReader
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, controller_uid
from remediator.workloads.revision_objects import KEPT_IN


@dataclass(frozen=True, slots=True)
class SeenWorkload:
    """One workload as it was just read."""

    workload: JsonObject
    revision_objects: list[JsonObject]
    """The ReplicaSets of a Deployment, the ControllerRevisions of the other kinds."""
    pods: list[JsonObject]

    @property
    def uid(self) -> str:
        return str(self.workload["metadata"]["uid"])

    @property
    def template(self) -> JsonObject:
        template: JsonObject = self.workload["spec"]["template"]
        return template


async def look_at(kube: KubeReader, target: Target) -> SeenWorkload | None:
    """The workload, its revisions' objects and its pods; None when it does not exist.

    Raises Retryable or Permanent as the reader does. Selectors with matchExpressions are read
    unfiltered and narrowed by owner, so that nothing is missed.
    """
    workload = await kube.get(target.kind, target.namespace, target.name)
    if workload is None:
        return None
    selector, uid, kept_in = labels_of(workload), workload["metadata"]["uid"], KEPT_IN[target.kind]
    listed = await kube.list(kept_in, target.namespace, selector)
    revision_objects = [each for each in listed if controller_uid(each) == uid]
    owners = {uid}
    if kept_in == "replicaset":
        owners = {each["metadata"]["uid"] for each in revision_objects}
    listed = await kube.list("pod", target.namespace, selector)
    return SeenWorkload(
        workload, revision_objects, [each for each in listed if controller_uid(each) in owners]
    )


def labels_of(workload: JsonObject) -> dict[str, str] | None:
    """The matchLabels of a workload's selector; None when labels alone do not say it."""
    labels = at(workload, "spec", "selector", "matchLabels")
    alone = not at(workload, "spec", "selector", "matchExpressions")
    return dict(labels) if labels and alone else None
