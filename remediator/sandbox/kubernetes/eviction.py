"""The eviction subresource: a delete that asks the pod's disruption budget first."""

from dataclasses import replace
from typing import Any

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.controllers.disruption import budgets_of, with_disruption_condition
from remediator.sandbox.kubernetes.controllers.pods import ready_since
from remediator.sandbox.kubernetes.deletion import delete, read_delete_options
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import Resource, find
from remediator.sandbox.kubernetes.status import ApiError, Json, bad_request
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes

EVICTION = Resource("policy", "v1", "evictions", "Eviction", schema="policy.v1.Eviction")
"""Not a resource of its own: what bodies of evictions are read as."""


def evict(writes: Writes, key: Key, eviction: Json, origin: Origin) -> Json:
    """Delete the pod if its budget has room, and spend that room.

    Raises:
        ApiError: 404; 429, no room; 500, several budgets; 409, a precondition, after the room was spent.
    """
    pods = find("pods")
    if (eviction.get("metadata") or {}).get("name", key.name) != key.name:
        raise bad_request("name in URL does not match name in Eviction object")
    pod = writes.existing(pods, key)
    wanted: dict[str, Any] = eviction.get("deleteOptions") or {}
    if "All" in (wanted.get("dryRun") or []):
        origin = replace(origin, dry_run=True)
    if not _needs_no_budget(pod):
        _spend(writes, pod, origin)
    delete(writes, pods, key, read_delete_options(wanted, {}), origin, "eviction")
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _needs_no_budget(pod: Json) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _spend(writes: Writes, pod: Json, origin: Origin) -> None:
    budgets = budgets_of(writes.store, pod)
    if not budgets:
        return
    if len(budgets) > 1:
        message = (
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
        raise ApiError(500, message)
    budget, status = budgets[0], budgets[0]["status"]
    name, now = budget["metadata"]["name"], writes.clock.now()
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        raise _refused(f"The disruption budget {name} is still being processed by the server.", retry=10)
    if ready_since(pod) is None and status["currentHealthy"] >= status["desiredHealthy"] > 0:
        return  # an unready pod of a budget that is kept costs nothing
    if status["disruptionsAllowed"] <= 0:
        healthy, needed = status["currentHealthy"], status["desiredHealthy"]
        raise _refused(
            f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        )
    disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: rfc3339(now)}
    spent = {**status, "disruptedPods": disrupted, "disruptionsAllowed": status["disruptionsAllowed"] - 1}
    if spent["disruptionsAllowed"] == 0:
        spent = with_disruption_condition(spent, status["observedGeneration"], now)
    resource = find("poddisruptionbudgets")
    key = writes.key(resource, budget["metadata"]["namespace"], name)
    server = replace(origin, manager="kube-apiserver", client=False)
    writes.update(resource, key, budget, {**budget, "status": spent}, server, "status")


def _refused(why: str, retry: int = 0) -> ApiError:
    details: Json = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    headers = {}
    if retry:
        details["retryAfterSeconds"] = retry
        headers["Retry-After"] = str(retry)
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, message, "TooManyRequests", details, headers)
