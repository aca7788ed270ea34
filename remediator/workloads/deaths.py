"""What the containers of pods wait for, or died of last."""

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, count, objects, text

OUT_OF_MEMORY = "OOMKilled"


def statuses_of(pod: JsonObject) -> list[JsonObject]:
    """The statuses of its containers, init containers first."""
    return objects(pod, "status", "initContainerStatuses") + objects(pod, "status", "containerStatuses")


def last_death(status: JsonObject) -> JsonObject | None:
    """How a container ended last (reason, exit code, when), or None when it never did with an error."""
    ended = at(status, "state", "terminated") or at(status, "lastState", "terminated")
    if not isinstance(ended, dict) or not ended.get("exitCode"):
        return None
    return {
        "reason": text(ended, "reason") or "terminated",
        "exit_code": ended["exitCode"],
        "finished_at": text(ended, "finishedAt"),
    }


def waits_for(status: JsonObject) -> str:
    """Why it does not run, such as CrashLoopBackOff; empty when it does."""
    return text(status, "state", "waiting", "reason")


def restarts_of(pod: JsonObject) -> int:
    return sum(count(each, "restartCount") or 0 for each in statuses_of(pod))
