"""Reads revisions from what Kubernetes keeps them in: ReplicaSets and ControllerRevisions."""

from collections.abc import Iterable
from copy import deepcopy

from remediator.domain.change import exact_hash, revision_hash
from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, controller_uid, count, moment, text
from remediator.workloads.revision import Revision, images

KEPT_IN = {
    "deployment": "replicaset",
    "statefulset": "controllerrevision",
    "daemonset": "controllerrevision",
}
"""Where Kubernetes keeps the revisions of a kind of workload."""

NUMBER = "deployment.kubernetes.io/revision"
"""Annotation by the deployment controller: the number of a ReplicaSet's revision."""

EARLIER_NUMBERS = "deployment.kubernetes.io/revision-history"
"""Annotation by the deployment controller: the numbers a re-used ReplicaSet had before, with commas."""

_HASH_LABELS = ("controller.kubernetes.io/hash", "controller-revision-hash")
"""On ControllerRevisions: the first of StatefulSets, the second of DaemonSets (recorded on v1.33)."""


def read_revisions(workload: JsonObject, revision_objects: Iterable[JsonObject]) -> list[Revision]:
    """The revisions this workload controls by uid, in no order.

    An object without a readable revision number, uid or creation time is left out: nothing could be
    concluded from it.
    """
    uid = text(workload, "metadata", "uid")
    mine = [each for each in revision_objects if uid and controller_uid(each) == uid]
    if text(workload, "kind") == "Deployment":
        return [each for each in map(_of_replica_set, mine) if each is not None]
    return _numbered([each for each in map(_of_controller_revision, mine) if each is not None])


def _of_replica_set(replica_set: JsonObject) -> Revision | None:
    number = _number(text(replica_set, "metadata", "annotations", NUMBER))
    template = at(replica_set, "spec", "template")
    history = text(replica_set, "metadata", "annotations", EARLIER_NUMBERS).split(",")
    earlier = {_number(each.strip()) for each in history}
    made = _revision(replica_set, number, template)
    if made is None:
        return None
    return made.model_copy(
        update={
            "earlier_numbers": tuple(sorted(each for each in earlier if each and each < made.number)),
            "desired": count(replica_set, "spec", "replicas") or 0,
            "ready": count(replica_set, "status", "readyReplicas") or 0,
            "available": count(replica_set, "status", "availableReplicas") or 0,
        }
    )


def _of_controller_revision(found: JsonObject) -> Revision | None:
    """Its data is a strategic merge patch of the workload that replaces the template whole."""
    template = at(found, "data", "spec", "template")
    if not isinstance(template, dict):
        return None
    made = _revision(
        found, count(found, "revision"), {key: value for key, value in template.items() if key != "$patch"}
    )
    hashes = [text(found, "metadata", "labels", label) for label in _HASH_LABELS]
    if made is None:
        return None
    return made.model_copy(update={"pod_hashes": tuple(each for each in (made.name, *hashes) if each)})


def _revision(found: JsonObject, number: int | None, template: object) -> Revision | None:
    created_at = moment(found, "metadata", "creationTimestamp")
    uid = text(found, "metadata", "uid")
    if not number or created_at is None or not uid or not isinstance(template, dict):
        return None
    return Revision(
        number=number,
        name=text(found, "metadata", "name"),
        uid=uid,
        template=_without_pod_template_hash(template),
        hash=revision_hash(template),
        exact=exact_hash(template),
        images=images(template),
        created_at=created_at,
    )


def _numbered(revisions: list[Revision]) -> list[Revision]:
    """A ControllerRevision that is taken up again gets a new number and does not tell the old one.

    Only while the numbers are complete from 1 on has that not happened to any of them.
    """
    complete = sorted(each.number for each in revisions) == list(range(1, len(revisions) + 1))
    return revisions if complete else [each.model_copy(update={"born_numbered": False}) for each in revisions]


def _number(written: str) -> int | None:
    """A revision's number; they begin at 1."""
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        return None
    return int(written) or None


def _without_pod_template_hash(template: JsonObject) -> JsonObject:
    copy = deepcopy(template)
    labels = at(copy, "metadata", "labels")
    if isinstance(labels, dict):
        labels.pop("pod-template-hash", None)
    return copy
