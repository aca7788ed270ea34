"""What became of an attempt, judged from the object alone. The heart of "nothing is applied twice"."""

from enum import StrEnum

from remediator.domain.change import ATTEMPT, EPOCH, Change, exact_hash
from remediator.domain.value import JsonObject, Value


class Seen(Value):
    """The facts of one object that decide."""

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


class Conclusion(StrEnum):
    """What the object says about the attempt."""

    APPLIED = "applied"
    APPLIED_THEN_CHANGED = "applied_then_changed"
    NOT_YET = "not_yet"
    CONVERGED = "converged"
    SUPERSEDED = "superseded"
    TARGET_REPLACED = "target_replaced"


def conclude(marker: str, change: Change, seen: Seen | None) -> Conclusion:
    """Compare marker and state with the intent. `seen` is None when the object does not exist."""
    if seen is None or seen.uid != change.uid:
        return Conclusion.TARGET_REPLACED
    if seen.marker == marker:
        return Conclusion.APPLIED if seen.exact == change.to_exact else Conclusion.APPLIED_THEN_CHANGED
    if seen.exact == change.from_exact:
        return Conclusion.NOT_YET
    return Conclusion.CONVERGED if seen.exact == change.to_exact else Conclusion.SUPERSEDED


def _last_manager(managed_fields: list[JsonObject]) -> str | None:
    """The manager of the newest write that owns spec.template; status and subresources do not count."""
    wrote = [
        each
        for each in managed_fields
        if not each.get("subresource") and "f:template" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    newest = max(wrote, key=lambda each: str(each.get("time", "")), default=None)
    return None if newest is None else str(newest.get("manager"))
