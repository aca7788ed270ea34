"""What became of an attempt, judged from the object alone. The heart of "nothing is applied twice"."""

from datetime import datetime
from enum import StrEnum

from remediator.domain.change import (
    ATTEMPT,
    EPOCH,
    Change,
    Eviction,
    TemplatePatch,
    exact_hash,
    revision_hash,
)
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, text
from remediator.workloads.writers import last_foreign_write


class Seen(Value):
    """The facts of a workload that decide about a patch of it."""

    uid: str
    marker: str | None
    epoch: str | None
    exact: str
    """exact_hash of its template."""
    revision: str = ""
    """revision_hash of its template."""
    last_manager: str | None = None
    """The field manager of the newest write to the template that is not ours, for telling who changed it."""
    last_written_at: datetime | None = None
    """When that was, in whole seconds."""

    @classmethod
    def of(cls, workload: JsonObject) -> "Seen":
        """Read the facts from a raw object."""
        metadata = workload["metadata"]
        annotations = metadata.get("annotations") or {}
        write = last_foreign_write(workload)
        return cls(
            uid=metadata["uid"],
            marker=annotations.get(ATTEMPT),
            epoch=annotations.get(EPOCH),
            exact=exact_hash(workload["spec"]["template"]),
            revision=revision_hash(workload["spec"]["template"]),
            last_manager=write.manager if write is not None else None,
            last_written_at=write.at if write is not None else None,
        )


class SeenPod(Value):
    """The facts of a pod that decide about its eviction; a pod that is gone has no uid."""

    uid: str | None
    leaving: bool = False
    """Its deletion has begun, which nothing takes back."""
    ready: bool = False

    @classmethod
    def of(cls, pod: JsonObject | None) -> "SeenPod":
        """Read the facts from a raw object, or from there being none."""
        if pod is None:
            return cls(uid=None)
        return cls(
            uid=text(pod, "metadata", "uid"),
            leaving=at(pod, "metadata", "deletionTimestamp") is not None,
            ready=condition(pod, "Ready").get("status") == "True",
        )


class Conclusion(StrEnum):
    """What the object says about the attempt."""

    APPLIED = "applied"
    APPLIED_THEN_CHANGED = "applied_then_changed"
    NOT_YET = "not_yet"
    CONVERGED = "converged"
    SUPERSEDED = "superseded"
    TARGET_REPLACED = "target_replaced"


def conclude(marker: str, change: Change, seen: Seen | SeenPod | None, sends: int) -> Conclusion:
    """Compare what is seen with the intent that was sent so many times.

    `seen` is None when the workload does not exist.
    """
    if isinstance(change, Eviction):
        return _of_eviction(change, seen, sends) if isinstance(seen, SeenPod) else Conclusion.TARGET_REPLACED
    return _of_patch(marker, change, seen) if isinstance(seen, Seen) else Conclusion.TARGET_REPLACED


def _of_patch(marker: str, change: TemplatePatch, seen: Seen) -> Conclusion:
    if seen.uid != change.uid:
        return Conclusion.TARGET_REPLACED
    if seen.marker == marker:
        return Conclusion.APPLIED if seen.exact == change.to_exact else Conclusion.APPLIED_THEN_CHANGED
    if seen.exact == change.from_exact:
        return Conclusion.NOT_YET
    return Conclusion.CONVERGED if seen.exact == change.to_exact else Conclusion.SUPERSEDED


def _of_eviction(change: Eviction, seen: SeenPod, sends: int) -> Conclusion:
    """A pod carries no marker, and needs none: its uid goes away once. What we sent is counted as ours."""
    if seen.uid != change.pod_uid or seen.leaving:
        return Conclusion.APPLIED if sends else Conclusion.CONVERGED
    return Conclusion.CONVERGED if seen.ready else Conclusion.NOT_YET
