"""What became of an attempt, judged from the object alone. The heart of "nothing is applied twice"."""

from enum import StrEnum

from remediator.domain.change import ATTEMPT, EPOCH, Change, Eviction, TemplatePatch, exact_hash
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, text


class Seen(Value):
    """The facts of a workload that decide about a patch of it."""

    uid: str
    marker: str | None
    epoch: str | None
    exact: str
    """exact_hash of its template."""
    last_manager: str | None = None
    """The field manager of the newest write to the spec, for telling people who changed it."""

    @classmethod
    def of(cls, workload: JsonObject) -> "Seen":
        """Read the facts from a raw object."""
        metadata = workload["metadata"]
        annotations = metadata.get("annotations") or {}
        return cls(
            uid=metadata["uid"],
            marker=annotations.get(ATTEMPT),
            epoch=annotations.get(EPOCH),
            exact=exact_hash(workload["spec"]["template"]),
            last_manager=_last_manager(metadata.get("managedFields") or []),
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


def _last_manager(managed_fields: list[JsonObject]) -> str | None:
    """The manager of the newest write that owns spec.template; status and subresources do not count."""
    wrote = [
        each
        for each in managed_fields
        if not each.get("subresource") and "f:template" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    newest = max(wrote, key=lambda each: str(each.get("time", "")), default=None)
    return None if newest is None else str(newest.get("manager"))
