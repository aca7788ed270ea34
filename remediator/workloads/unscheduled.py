"""Which pods the scheduler finds no node for. Pure."""

from collections.abc import Iterable

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, condition, text


def unscheduled(pods: Iterable[JsonObject]) -> tuple[str, ...]:
    """A sentence for each pod that has no node and is not going away, with what the scheduler says of it."""
    return tuple(
        f"{text(pod, 'metadata', 'name')}: {_why(pod)}"
        for pod in pods
        if not text(pod, "spec", "nodeName")
        and text(pod, "status", "phase") not in ("Succeeded", "Failed")
        and at(pod, "metadata", "deletionTimestamp") is None
    )


def _why(pod: JsonObject) -> str:
    return text(condition(pod, "PodScheduled"), "message") or "the scheduler has not found one yet"
