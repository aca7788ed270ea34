"""status of a pod, from its containers."""

from datetime import datetime

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.controllers.container import Container, State
from remediator.sandbox.kubernetes.status import Json

_ORDER = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def phase_of(pod: Json, containers: list[Container]) -> str:
    """Pending, Running, Succeeded or Failed."""
    restarts = pod["spec"].get("restartPolicy", "Always")
    ending = bool(pod["metadata"].get("deletionTimestamp"))
    if all(one.state is State.TERMINATED for one in containers):
        codes = [(one.terminated or {}).get("exitCode", 0) for one in containers]
        for_good = restarts == "Never" or (restarts == "OnFailure" and not any(codes))
        if for_good or ending:
            return "Failed" if any(codes) else "Succeeded"
    return "Running" if all(one.has_started for one in containers) else "Pending"


def pod_status(pod: Json, containers: list[Container], ip: str, now: datetime, *, sandbox: bool) -> Json:
    """The whole status; `sandbox` is whether the pod's network exists."""
    old = pod.get("status", {})
    phase = phase_of(pod, containers)
    status: Json = {"phase": phase}
    status["conditions"] = _conditions(old, containers, phase, now, sandbox)
    status["hostIP"] = "127.0.0.1"
    status["hostIPs"] = [{"ip": "127.0.0.1"}]
    if sandbox or old.get("podIP"):
        status["podIP"] = ip
        status["podIPs"] = [{"ip": ip}]
    status["startTime"] = old.get("startTime", rfc3339(now))
    status["containerStatuses"] = [one.status() for one in sorted(containers, key=lambda one: one.name)]
    status["qosClass"] = old.get("qosClass", "BestEffort")
    return status


def _conditions(
    old: Json, containers: list[Container], phase: str, now: datetime, sandbox: bool
) -> list[Json]:
    completed = {"reason": "PodCompleted"} if phase == "Succeeded" else {}
    unready = [one.name for one in containers if not one.ready]
    readiness: Json = {}
    if completed:
        readiness = dict(completed)
    elif phase == "Failed" and all(one.has_started for one in containers):
        readiness = {"reason": "PodFailed"}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        readiness = {"reason": "ContainersNotReady", "message": message}
    wanted: dict[str, tuple[bool, Json]] = {
        "PodReadyToStartContainers": (sandbox, {}),
        "Initialized": (True, completed),
        "Ready": (not unready, readiness),
        "ContainersReady": (not unready, readiness),
        "PodScheduled": (True, {}),
    }
    before = {entry["type"]: entry for entry in old.get("conditions") or []}
    return [_condition(name, *wanted[name], before.get(name), now) for name in _ORDER]


def _condition(name: str, holds: bool, why: Json, before: Json | None, now: datetime) -> Json:
    status = "True" if holds else "False"
    since = before["lastTransitionTime"] if before and before["status"] == status else rfc3339(now)
    return {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since, **why}
