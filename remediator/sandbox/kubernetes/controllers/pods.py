"""Pods as their controllers see them: whether they count, since when they are ready, and how one is made."""

from collections.abc import Callable
from datetime import datetime, timedelta

from remediator.sandbox.kubernetes.clock import parse_rfc3339
from remediator.sandbox.kubernetes.controllers.ownership import (
    adopted,
    controller_reference,
    is_controlled_by,
    may_adopt,
)
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes

_FROM_TEMPLATE = ("labels", "annotations", "finalizers")


def ready_since(pod: Json) -> datetime | None:
    """Since when the pod is Ready; None if it is not."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            return parse_rfc3339(condition["lastTransitionTime"])
    return None


def is_available(pod: Json, min_ready_seconds: int, now: datetime) -> bool:
    """Whether the pod has been Ready for that many seconds."""
    since = ready_since(pod)
    return since is not None and since + timedelta(seconds=min_ready_seconds) <= now


def seconds_to_available(pods: list[Json], min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until the next pod that is Ready becomes available, too; None if there is none to wait for."""
    settled = timedelta(seconds=min_ready_seconds)
    ready = [since for since in map(ready_since, pods) if since is not None]
    waiting = [(since + settled - now).total_seconds() for since in ready if since + settled > now]
    return min(waiting, default=None)


def is_finished(pod: Json) -> bool:
    """Whether its containers have ended for good."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_terminating(pod: Json) -> bool:
    """Whether it is on its way out."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_active(pod: Json) -> bool:
    """Whether the pod counts: neither finished nor on its way out."""
    return not is_finished(pod) and not is_terminating(pod)


def pod_key(pod: Json) -> Key:
    """The key of a pod."""
    return Key("", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def pod_from(owner: Json, template: Json) -> Json:
    """A new pod of that template, which `owner` controls and whose name is generated from its name."""
    shown = template.get("metadata", {})
    metadata: Json = {name: shown[name] for name in _FROM_TEMPLATE if shown.get(name)}
    metadata["generateName"] = f"{owner['metadata']['name']}-"
    metadata["ownerReferences"] = [controller_reference(owner)]
    return {"metadata": metadata, "spec": template["spec"]}


def claimed_pods(
    writes: Writes, owner: Json, origin: Origin, fits: Callable[[Json], bool] = is_active
) -> list[Json]:
    """The pods `owner` controls; those that nobody does, that it selects and that `fits` accepts become its own."""
    found = []
    for pod in writes.store.objects("", "pods", owner["metadata"]["namespace"]):
        if may_adopt(owner, pod) and fits(pod):
            found.append(writes.update(find("pods"), pod_key(pod), pod, adopted(owner, pod), origin))
        elif is_controlled_by(pod, owner):
            found.append(pod)
    return found
