"""What belongs to one release: workloads and Jobs that carry the same instance or Helm release."""

from collections.abc import Sequence
from datetime import datetime

from remediator.domain.history import Tenure
from remediator.domain.value import JsonObject
from remediator.workloads.fields import text
from remediator.workloads.owners import INSTANCE, RELEASE
from remediator.workloads.revision import Revision
from remediator.workloads.revisions import rollout_began


def release_name(found: JsonObject) -> str | None:
    """The release of an object. `app.kubernetes.io/part-of` names a whole system, which is too wide."""
    named = text(found, "metadata", "annotations", RELEASE) or text(found, "metadata", "labels", INSTANCE)
    return named or None


def same_release(one: JsonObject, other: JsonObject) -> bool:
    """Whether both carry the same Helm release, or the same instance. Hooks of Helm carry only the latter."""
    marks = (("annotations", RELEASE), ("labels", INSTANCE))
    return any(
        (shared := text(one, "metadata", field, name)) != ""
        and shared == text(other, "metadata", field, name)
        for field, name in marks
    )


def version_began(
    workload: JsonObject, current: Revision, revisions: Sequence[Revision], tenures: Sequence[Tenure]
) -> datetime:
    """When the current version was rolled out: as our memory saw it, else by the age of its objects."""
    uid = text(workload, "metadata", "uid")
    known = [each for each in tenures if each.uid == uid]
    if known and known[-1].revision == current.hash and known[-1].began_seen:
        return known[-1].began_at
    return rollout_began(current, revisions)
