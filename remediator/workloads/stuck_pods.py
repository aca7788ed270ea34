"""Whether a pod will not become ready without somebody's help."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, condition, moment, objects, text

HOPELESS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that a new pod of the same template would meet again."""

_NOT_PULLED = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})


def why_stuck(pod: JsonObject, now: datetime, stuck_after: timedelta, shown: str) -> str | None:
    """A sentence when this pod is stuck, else None. `shown` is stuck_after as people read it.

    Pods that are going away or have ended are not stuck: their ReplicaSet has replaced them already.
    """
    if at(pod, "metadata", "deletionTimestamp") is not None:
        return None
    if text(pod, "status", "phase") in ("Succeeded", "Failed"):
        return None
    name = text(pod, "metadata", "name")
    for field, kind in {"initContainerStatuses": "init container", "containerStatuses": "container"}.items():
        for container in objects(pod, "status", field):
            reason = text(container, "state", "waiting", "reason")
            if reason in HOPELESS:
                return f"{name}: {kind} {text(container, 'name')} is in {reason}."
    since = unready_since(pod)
    if since is not None and now - since > stuck_after:
        return f"{name}: not ready for longer than {shown}."
    return None


def unpullable_images(pods: Iterable[JsonObject]) -> frozenset[str]:
    """Images that containers of these pods wait for in vain, as their templates name them."""
    found: set[str] = set()
    for pod in pods:
        for field, kind in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
            waiting = {
                text(each, "name")
                for each in objects(pod, "status", kind)
                if text(each, "state", "waiting", "reason") in _NOT_PULLED
            }
            found |= {
                text(each, "image") for each in objects(pod, "spec", field) if text(each, "name") in waiting
            }
    return frozenset(found)


def unready_since(pod: JsonObject) -> datetime | None:
    """Since when a pod has not been ready; None when it is."""
    ready = condition(pod, "Ready")
    if ready.get("status") == "True":
        return None
    return moment(ready, "lastTransitionTime") or moment(pod, "metadata", "creationTimestamp")
