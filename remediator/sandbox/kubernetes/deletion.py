"""DELETE: preconditions, grace, finalizers and what becomes of dependents."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.status import Cause, Json, conflict, invalid, object_details, success
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_POLICIES = ("Foreground", "Background", "Orphan")
_RETURNED_WHEN_GONE = ("Pod", "ServiceAccount", "Service")


@dataclass(frozen=True)
class DeleteOptions:
    """What a DELETE asks for, from its body or its query."""

    propagation: str = ""
    grace_seconds: int | None = None
    uid: str = ""
    version: str = ""


def read_delete_options(body: Json, query: dict[str, str]) -> DeleteOptions:
    """The options of a request; the body wins.

    Raises:
        ApiError: 422, a propagation policy that does not exist.
    """
    policy = body.get("propagationPolicy") or query.get("propagationPolicy", "")
    if policy and policy not in _POLICIES:
        message = (
            f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        )
        cause = Cause("FieldValueNotSupported", message, "propagationPolicy")
        raise invalid("meta.k8s.io", "DeleteOptions", "", [cause])
    grace: Any = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    conditions = body.get("preconditions") or {}
    return DeleteOptions(
        propagation=policy,
        grace_seconds=None if grace is None else int(grace),
        uid=conditions.get("uid", ""),
        version=conditions.get("resourceVersion", ""),
    )


def delete(
    writes: Writes,
    resource: Resource,
    key: Key,
    options: DeleteOptions,
    origin: Origin,
    subresource: str = "",
) -> Json:
    """Delete the object, or begin to; returns what the server answers. `subresource` is how it was asked for."""
    before = writes.existing(resource, key)
    _check_preconditions(resource, key, before, options)
    finalizers = _finalizers(before, options)
    grace = _grace_seconds(resource, before, options)
    metadata = before["metadata"]
    if not finalizers and not grace and resource.kind != "Namespace":
        return _remove(writes, resource, key, before, origin, subresource)
    if metadata.get("deletionTimestamp") and not _shortens(before, grace):
        return before
    after = {**before, "metadata": _marked(writes, metadata, finalizers, grace)}
    if resource.kind == "Namespace":
        del after["metadata"]["deletionGracePeriodSeconds"]
        after["status"] = {**before.get("status", {}), "phase": "Terminating"}
    return writes.commit(resource, key, before, after, origin, subresource)


def _remove(
    writes: Writes, resource: Resource, key: Key, before: Json, origin: Origin, subresource: str
) -> Json:
    gone = before
    if not origin.dry_run:
        gone = writes.store.remove(key, before)
        writes.note(origin, resource, key, subresource, before, None)
    if resource.kind in _RETURNED_WHEN_GONE:
        return gone
    details = object_details(resource.group, resource.plural, key.name)
    return success({**details, "uid": before["metadata"]["uid"]})


def _marked(writes: Writes, metadata: Json, finalizers: list[str], grace: int) -> Json:
    marked = {name: value for name, value in metadata.items() if name != "finalizers"}
    if finalizers:
        marked["finalizers"] = finalizers
    ends = writes.clock.now() + timedelta(seconds=grace)
    marked["deletionTimestamp"] = rfc3339(ends)
    marked["deletionGracePeriodSeconds"] = grace
    if "generation" in metadata and not metadata.get("deletionTimestamp"):
        marked["generation"] = metadata["generation"] + 1
    return marked


def _shortens(before: Json, grace: int) -> bool:
    return grace < (before["metadata"].get("deletionGracePeriodSeconds") or 0)


def _finalizers(before: Json, options: DeleteOptions) -> list[str]:
    kept = [name for name in before["metadata"].get("finalizers", []) if name not in (FOREGROUND, ORPHAN)]
    if options.propagation == "Foreground":
        return [*kept, FOREGROUND]
    if options.propagation == "Orphan":
        return [*kept, ORPHAN]
    return kept if options.propagation else list(before["metadata"].get("finalizers", []))


def _grace_seconds(resource: Resource, before: Json, options: DeleteOptions) -> int:
    if resource.kind != "Pod":
        return 0
    finished = before.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if not before["spec"].get("nodeName") or finished:
        return 0
    if options.grace_seconds is not None:
        return max(0, options.grace_seconds)
    wanted: int = before["spec"].get("terminationGracePeriodSeconds", 30)
    return wanted


def _check_preconditions(resource: Resource, key: Key, before: Json, options: DeleteOptions) -> None:
    metadata = before["metadata"]
    if options.uid and options.uid != metadata["uid"]:
        raise conflict(
            resource.group,
            resource.kind,
            key.name,
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({metadata['uid']}). The object might have been deleted and then recreated",
        )
    if options.version and options.version != metadata["resourceVersion"]:
        raise conflict(
            resource.group,
            resource.kind,
            key.name,
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion "
            f"in record ({metadata['resourceVersion']}). The object might have been modified",
        )
