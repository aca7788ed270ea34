"""The state of the target's pods."""

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST = 50


class Pods(Diagnostic):
    """Phase, readiness, restarts and the reason each container waits or died."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        rows = [_row(pod) for pod in seen.pods]
        ready = sum(1 for row in rows if row["ready"])
        reasons = sorted({reason for row in rows for reason in row["reasons"]})
        summary = f"{ready} of {len(rows)} pods ready" + (f"; {', '.join(reasons)}" if reasons else "")
        details = {"pods": rows[:_MOST], "left_out": max(0, len(rows) - _MOST)}
        return Evidence(step=self.key(), summary=summary, details=details)


def _row(pod: JsonObject) -> JsonObject:
    status = pod.get("status") or {}
    containers = (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])
    conditions = {each.get("type"): each.get("status") for each in status.get("conditions") or []}
    return {
        "name": pod["metadata"]["name"],
        "phase": status.get("phase"),
        "node": (pod.get("spec") or {}).get("nodeName"),
        "ready": conditions.get("Ready") == "True",
        "restarts": sum(each.get("restartCount", 0) for each in containers),
        "images": [each.get("image") for each in containers],
        "reasons": [reason for each in containers if (reason := _reason(each))],
    }


def _reason(container: JsonObject) -> str | None:
    """Why a container is not running, or what it died of last."""
    state = container.get("state") or {}
    waiting = (state.get("waiting") or {}).get("reason")
    terminated = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    if waiting:
        return str(waiting)
    if terminated and terminated.get("exitCode"):
        return f"{terminated.get('reason', 'terminated')} (exit code {terminated['exitCode']})"
    return None
