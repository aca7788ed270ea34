"""Who wrote what of an object and when, as its managedFields tell.

The API server keeps one entry for each field manager, operation and subresource: the fields it set or
changed last, and the whole second of its last write that took a field (apimachinery, managedfields).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from remediator.domain.change import RESTARTED_AT
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, moment, objects, text

OURS = "remediator"
"""The field manager this daemon writes under."""

AUTOMATIC = frozenset(
    {
        "before-first-apply",
        "cluster-autoscaler",
        "horizontal-pod-autoscaler",
        "keda",
        "keda-operator",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "vpa-admission-controller",
        "vpa-recommender",
        "vpa-updater",
    }
)
"""Field managers of Kubernetes and of autoscalers. `before-first-apply` is no writer at all: the API server
files under it what an object held before its first apply."""

_SCALING: frozenset[tuple[str, ...]] = frozenset({("f:replicas",)})
_ANNOTATIONS = ("f:template", "f:metadata", "f:annotations")
_RESTART: frozenset[tuple[str, ...]] = frozenset({_ANNOTATIONS, (*_ANNOTATIONS, f"f:{RESTARTED_AT}")})
"""Whoever set the first stamp owns the annotations as a map, and keeps that when another sets the next."""


class Write(Value):
    """The last write of a field manager that owns a part of the spec. It may have been of metadata alone."""

    manager: str
    operation: str
    at: datetime | None
    """In whole seconds, rounded down. None when the API server did not say."""
    fields: tuple[str, ...]
    """What it owns of the spec, one level deep: `replicas`, `template`."""
    only_scales: bool
    """It owns nothing but the replica count."""
    only_restarts: bool
    """It owns nothing but the stamp of a restart."""


def spec_writes(workload: JsonObject) -> tuple[Write, ...]:
    """Every manager that owns a part of the spec, subresources left out, in the order of the object."""
    return _writes(workload, through=frozenset({""}))


def _writes(workload: JsonObject, through: frozenset[str]) -> tuple[Write, ...]:
    """Those through these subresources; the empty one is the object itself."""
    return tuple(
        Write(
            manager=text(entry, "manager"),
            operation=text(entry, "operation"),
            at=moment(entry, "time"),
            fields=tuple(sorted({path[0].removeprefix("f:") for path in paths})),
            only_scales=paths <= _SCALING,
            only_restarts=paths <= _RESTART,
        )
        for entry in objects(workload, "metadata", "managedFields")
        if text(entry, "subresource") in through
        and (paths := frozenset(_leaves(at(entry, "fieldsV1", "f:spec"))))
    )


def managers(workload: JsonObject) -> tuple[str, ...]:
    """Every field manager that wrote anything but the status or another subresource, sorted."""
    entries = objects(workload, "metadata", "managedFields")
    return tuple(sorted({text(each, "manager") for each in entries if not text(each, "subresource")}))


def appliers(workload: JsonObject, field: str = "template") -> tuple[str, ...]:
    """Who else owns a part of this field of the spec by server-side apply, sorted.

    A value that we change is ours from then on: without force, their next apply of another one is answered
    with 409 (recorded: ownership-metadata.json, "argo cd: apply without force").
    """
    writes = [each for each in spec_writes(workload) if field in each.fields and each.manager != OURS]
    return tuple(sorted({each.manager for each in writes if each.operation == "Apply"}))


def last_foreign_write(workload: JsonObject) -> Write | None:
    """The newest write of somebody else who owns a part of the template now."""
    writes = [each for each in spec_writes(workload) if "template" in each.fields and each.manager != OURS]
    known = [each for each in writes if each.at is not None]
    return max(known, key=lambda each: (each.at, each.manager), default=None)


def last_scaling(workload: JsonObject) -> Write | None:
    """The newest write of somebody else who owns the replica count now, by whatever path it was written."""
    writes = _writes(workload, through=frozenset({"", "scale"}))
    scaled = [each for each in writes if "replicas" in each.fields and each.manager != OURS]
    known = [each for each in scaled if each.at is not None]
    return max(known, key=lambda each: (each.at, each.manager), default=None)


def _leaves(owned: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths below a set of owned fields; `.` is the map itself, which whoever adds a key owns as well."""
    if not isinstance(owned, Mapping):
        return
    for key, below in owned.items():
        if key == ".":
            continue
        if below and set(below) != {"."}:
            yield from _leaves(below, (*path, key))
        else:
            yield (*path, key)


def people_at_work(workload: JsonObject, since: datetime, now: datetime, quiet: timedelta) -> Write | None:
    """The newest write to the spec that shows people (or their pipelines) at work, or None.

    It is later than `since` and not older than `quiet`. Scaling does not count, by whatever path it was
    written: `kubectl scale` leaves no trace here either. Nor does a restart, which is no new version, nor a
    server-side apply that never changed a value: it has no time (recorded: kubectl-other.json).
    Raises ValueError when the object does not say who wrote its spec, or when.
    """
    writes = [each for each in spec_writes(workload) if each.operation != "Apply" or each.at is not None]
    if not writes:
        raise ValueError("its managedFields do not say who wrote the spec")
    shown = [each for each in writes if each.manager != OURS and each.manager not in AUTOMATIC]
    shown = [each for each in shown if not (each.only_scales or each.only_restarts)]
    late: list[tuple[datetime, Write]] = []
    for each in shown:
        if each.at is None:
            raise ValueError(f"its managedFields do not say when {each.manager} wrote the spec")
        if since < each.at and now - each.at < quiet:
            late.append((each.at, each))
    return max(late, key=lambda pair: pair[0])[1] if late else None
