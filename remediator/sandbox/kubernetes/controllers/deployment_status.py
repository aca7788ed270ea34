"""A Deployment's status: its counts and the conditions Available and Progressing, with Kubernetes' reasons."""

from datetime import datetime, timedelta

from remediator.sandbox.kubernetes.clock import parse_rfc3339, rfc3339
from remediator.sandbox.kubernetes.controllers.sizes import max_unavailable, observed, wanted
from remediator.sandbox.kubernetes.status import Json

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"
_NO_DEADLINE = 2**31 - 1


def condition(status: Json, kind: str) -> Json | None:
    """The condition of that type."""
    conditions: list[Json] = status.get("conditions") or []
    return next((entry for entry in conditions if entry["type"] == kind), None)


def with_condition(status: Json, new: Json) -> Json:
    """`status` with the condition; nothing happens if its status and reason are there already."""
    current = condition(status, new["type"])
    if current and (current["status"], current["reason"]) == (new["status"], new["reason"]):
        return status
    if current and current["status"] == new["status"]:
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return {**status, "conditions": [*_others(status, new["type"]), new]}


def without_condition(status: Json, kind: str) -> Json:
    """`status` without the condition of that type."""
    return {**status, "conditions": _others(status, kind)}


def _others(status: Json, kind: str) -> list[Json]:
    return [entry for entry in status.get("conditions") or [] if entry["type"] != kind]


def make_condition(kind: str, status: str, reason: str, message: str, now: datetime) -> Json:
    """A new condition as of now."""
    moment = rfc3339(now)
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }


def has_deadline(deployment: Json) -> bool:
    """Whether the Deployment is held to a progress deadline."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return seconds is not None and seconds != _NO_DEADLINE


def counted(deployment: Json, every: list[Json], newest: Json | None, now: datetime) -> Json:
    """The status as the ReplicaSets make it, with the condition Available."""
    available = observed(every, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": observed(every, "replicas"),
        "updatedReplicas": observed([newest] if newest else [], "replicas"),
        "readyReplicas": observed(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted(every) - available),
    }
    old = deployment.get("status", {})
    status: Json = {name: value for name, value in counts.items() if value}
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    if old.get("conditions"):
        status["conditions"] = old["conditions"]
    if available >= deployment["spec"]["replicas"] - max_unavailable(deployment):
        message = "Deployment has minimum availability."
        new = make_condition("Available", "True", "MinimumReplicasAvailable", message, now)
    else:
        message = "Deployment does not have minimum availability."
        new = make_condition("Available", "False", "MinimumReplicasUnavailable", message, now)
    return with_condition(status, new)


def is_complete(deployment: Json, status: Json) -> bool:
    """Whether the rollout is over: all replicas updated and available, none left of older ones."""
    replicas = deployment["spec"]["replicas"]
    counts = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and all(count == replicas for count in counts)


def _progressed(deployment: Json, status: Json) -> bool:
    old = deployment.get("status", {})

    def outdated(one: Json) -> int:
        return int(one.get("replicas", 0)) - int(one.get("updatedReplicas", 0))

    grew = any(
        status.get(name, 0) > old.get(name, 0)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grew or outdated(status) < outdated(old)


def deadline_of(deployment: Json, status: Json) -> datetime | None:
    """When the rollout counts as timed out; None if it does not, or has already."""
    progressing = condition(status, "Progressing")
    if not has_deadline(deployment) or progressing is None:
        return None
    if progressing["reason"] in (NEW_AVAILABLE, TIMED_OUT):
        return None
    since = parse_rfc3339(progressing["lastUpdateTime"])
    return since + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])


def with_progress(deployment: Json, status: Json, newest: Json | None, now: datetime) -> Json:
    """`status` with the condition Progressing brought up to date."""
    if not has_deadline(deployment):
        return without_condition(status, "Progressing") if status.get("conditions") else status
    current = condition(deployment.get("status", {}), "Progressing")
    finished = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if finished and current is not None and current["reason"] == NEW_AVAILABLE:
        return status
    kind, name = ("ReplicaSet", newest) if newest else ("Deployment", deployment)
    subject = f'{kind} "{name["metadata"]["name"]}"'
    if is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        return with_condition(status, make_condition("Progressing", "True", NEW_AVAILABLE, message, now))
    if _progressed(deployment, status):
        new = make_condition("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
        if current is not None and current["status"] == "True":
            new["lastTransitionTime"] = current["lastTransitionTime"]
        return with_condition(without_condition(status, "Progressing"), new)
    deadline = deadline_of(deployment, status)
    if deadline is not None and deadline < now:
        message = f"{subject} has timed out progressing."
        return with_condition(status, make_condition("Progressing", "False", TIMED_OUT, message, now))
    return status
