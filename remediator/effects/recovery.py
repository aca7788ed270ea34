"""What became of an attempt, judged from the object alone. The heart of "nothing is applied twice"."""

from datetime import datetime
from enum import StrEnum

from remediator.domain.change import (
    ATTEMPT,
    EPOCH,
    Change,
    Eviction,
    Scaling,
    TemplatePatch,
    exact_hash,
    revision_hash,
)
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, count, text
from remediator.workloads.writers import last_foreign_write, last_scaling


class Seen(Value):
    """The facts of a workload that decide about a patch or a scaling of it."""

    uid: str
    marker: str | None
    epoch: str | None
    exact: str
    """exact_hash of its template."""
    revision: str = ""
    """revision_hash of its template."""
    replicas: int | None = None
    """How many it wants; None where that is not said."""
    last_manager: str | None = None
    """The field manager of the newest write to the template that is not ours, for telling who changed it."""
    last_written_at: datetime | None = None
    """When that was, in whole seconds."""
    last_scaler: str | None = None
    """The same of the newest write to the replica count."""
    last_scaled_at: datetime | None = None

    @classmethod
    def of(cls, workload: JsonObject) -> "Seen":
        """Read the facts from a raw object."""
        metadata = workload["metadata"]
        annotations = metadata.get("annotations") or {}
        write, scaled = last_foreign_write(workload), last_scaling(workload)
        return cls(
            uid=metadata["uid"],
            marker=annotations.get(ATTEMPT),
            epoch=annotations.get(EPOCH),
            exact=exact_hash(workload["spec"]["template"]),
            revision=revision_hash(workload["spec"]["template"]),
            replicas=count(workload, "spec", "replicas"),
            last_manager=write.manager if write is not None else None,
            last_written_at=write.at if write is not None else None,
            last_scaler=scaled.manager if scaled is not None else None,
            last_scaled_at=scaled.at if scaled is not None else None,
        )

    def is_from(self, change: Change) -> bool:
        """Whether it is still what the change starts from."""
        if isinstance(change, Scaling) and self.replicas != change.from_replicas:
            return False
        return self.exact == change.from_exact

    def who_changed(self, change: Change) -> str:
        """Who wrote last what this change is about, other than us; `somebody` where that is not said."""
        scaled = isinstance(change, Scaling) and not self._of_another_template(change)
        return (self.last_scaler if scaled else self.last_manager) or "somebody"

    def _of_another_template(self, change: Scaling) -> bool:
        """Whether it was no number that somebody changed."""
        return self.replicas == change.from_replicas and self.exact != change.from_exact

    def is_to(self, change: TemplatePatch | Scaling) -> bool:
        """Whether it is what the change leads to."""
        if isinstance(change, Scaling):
            return self.replicas == change.to_replicas
        return self.exact == change.to_exact


class SeenPod(Value):
    """The facts of a pod that decide about its eviction; a pod that is gone has no uid."""

    uid: str | None
    version: str = ""
    """Its resourceVersion."""
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
            version=text(pod, "metadata", "resourceVersion"),
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


def _of_patch(marker: str, change: TemplatePatch | Scaling, seen: Seen) -> Conclusion:
    if seen.uid != change.uid:
        return Conclusion.TARGET_REPLACED
    if seen.marker == marker:
        return Conclusion.APPLIED if seen.is_to(change) else Conclusion.APPLIED_THEN_CHANGED
    if seen.is_from(change):
        return Conclusion.NOT_YET
    return Conclusion.CONVERGED if seen.is_to(change) else Conclusion.SUPERSEDED


def _of_eviction(change: Eviction, seen: SeenPod, sends: int) -> Conclusion:
    """A pod carries no marker, and needs none: its uid goes away once. What we sent is counted as ours."""
    if seen.uid != change.pod_uid or seen.leaving:
        return Conclusion.APPLIED if sends else Conclusion.CONVERGED
    return Conclusion.CONVERGED if seen.ready else Conclusion.NOT_YET
