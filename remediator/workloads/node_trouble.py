"""Whether a node can be what is wrong with the pods on it."""

from collections.abc import Iterable

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, condition, objects, text

_ENDED = ("Succeeded", "Failed")


def unready(pods: Iterable[JsonObject]) -> list[JsonObject]:
    """The pods that are not ready, those that are going away among them.

    A pod that has ended is none: what a kubelet evicted stays listed for weeks.
    """
    return [
        pod
        for pod in pods
        if text(pod, "status", "phase") not in _ENDED and text(condition(pod, "Ready"), "status") != "True"
    ]


def node_of(pod: JsonObject) -> str:
    """The name of the node it runs on; empty while none has been found for it."""
    return text(pod, "spec", "nodeName")


def trouble_of(node: JsonObject | None) -> str | None:
    """Why a node is not to be trusted, or None. One that does not exist has just gone: its pods are still listed."""
    if node is None:
        return "gone"
    if at(node, "metadata", "deletionTimestamp") is not None:
        return "being removed"
    ready = text(condition(node, "Ready"), "status")
    if ready != "True":
        return "not ready" if ready == "False" else "no longer heard of"
    if at(node, "spec", "unschedulable") is True:
        return "cordoned"
    return None


def pressure_of(node: JsonObject) -> list[str]:
    """What a node says it has too little of, each as a clause; it evicts pods for that."""
    return [
        f"has {text(each, 'type')} ({text(each, 'reason')})"
        for each in objects(node, "status", "conditions")
        if text(each, "type") not in ("", "Ready") and text(each, "status") == "True"
    ]
