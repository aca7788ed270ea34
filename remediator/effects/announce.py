"""A Kubernetes Event on the target, so that `kubectl describe` shows what we did and why."""

from hashlib import sha256

from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import Applied, KubeWriter, Refused
from remediator.domain.notice import Notice
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable

_COMPONENT = "remediator"
_LONGEST = 1024
"""Kubernetes cuts nothing: an Event's message over 1024 characters is refused (events.k8s.io/v1 validation)."""

_REASONS = {"CLEARED": "RemediatorAsks"}
"""Of states whose names say nothing to somebody who reads Events."""


async def announce(reader: KubeReader, writer: KubeWriter, notice: Notice) -> None:
    """Create the Event of a notice; its name is made of the notice's key, so that twice is once.

    Raises Retryable, or Permanent when there is nothing to attach it to or it is refused.
    """
    if notice.target is None:
        raise Permanent("the notice names no target to attach an Event to")
    kind, namespace, name = notice.target.split("/")
    workload = await reader.get(kind, namespace, name)
    if workload is None:
        raise Permanent(f"{notice.target} does not exist any more")
    answer = await writer.create_event(namespace, _event(notice, workload))
    match answer:
        case Applied() | Refused(status=409):
            return
        case Refused(status=429):
            raise Retryable(answer.message, answer.retry_after)
        case Refused(status=status, message=message):
            raise Permanent(f"the API server refused the Event ({status}): {message}")
        case _:
            raise Retryable(f"whether the Event was written is unclear: {answer.why}")


def _event(notice: Notice, workload: JsonObject) -> JsonObject:
    metadata = workload["metadata"]
    state = notice.state or "notice"
    stamp = notice.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name'][:200]}.{sha256(notice.key.encode()).hexdigest()[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": workload["apiVersion"],
            "kind": workload["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
        "type": "Normal" if notice.state in ("RESOLVED", "ACTED") else "Warning",
        "reason": _REASONS.get(state, f"Remediator{state.capitalize()}"),
        "message": f"{notice.title}: {notice.text}"[:_LONGEST],
        "source": {"component": _COMPONENT},
        "reportingComponent": _COMPONENT,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
