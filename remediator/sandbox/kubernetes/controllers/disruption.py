"""The disruption controller: how many pods of a PodDisruptionBudget may go."""

import math
from datetime import datetime, timedelta
from typing import Any

from remediator.sandbox.kubernetes.clock import parse_rfc3339, rfc3339
from remediator.sandbox.kubernetes.controllers.ownership import controller_of, selects
from remediator.sandbox.kubernetes.controllers.pods import ready_since
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key, Store
from remediator.sandbox.kubernetes.writes import Writes

DISRUPTED_FOR = timedelta(minutes=2)
"""How long a pod counts as evicted although it is still there."""

_PLURALS = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets"}
"""Kinds whose size a budget can be a share of; a DaemonSet has no scale, and its pods count as none."""


def budgets_of(store: Store, pod: Json) -> list[Json]:
    """The budgets that cover a pod."""
    found = store.objects("policy", "poddisruptionbudgets", pod["metadata"]["namespace"])
    return [budget for budget in found if budget["spec"].get("selector") is not None and selects(budget, pod)]


def with_disruption_condition(status: Json, generation: int, now: datetime) -> Json:
    """A budget's status with the condition DisruptionAllowed that its numbers make."""
    allowed = status["disruptionsAllowed"] > 0
    before = next(iter(status.get("conditions") or []), None)
    condition = {
        "type": "DisruptionAllowed",
        "status": "True" if allowed else "False",
        "observedGeneration": generation,
        "lastTransitionTime": rfc3339(now),
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
    }
    if before is not None and before["status"] == condition["status"]:
        condition["lastTransitionTime"] = before["lastTransitionTime"]
    return {**status, "conditions": [condition]}


class DisruptionController(Controller):
    """Keeps the status of PodDisruptionBudgets."""

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._budgets = find("poddisruptionbudgets")

    def observe(self, change: Change) -> None:
        if change.key.of_resource("policy", "poddisruptionbudgets"):
            self.queue(change.key)
        elif change.key.of_resource("", "pods"):
            for budget in budgets_of(self.store, change.after):
                self.queue(self._key(budget))
        elif change.key.group == "apps":
            for key in self.store.keys("policy", "poddisruptionbudgets", change.key.namespace):
                self.queue(key)

    @staticmethod
    def _key(budget: Json) -> Key:
        metadata = budget["metadata"]
        return Key("policy", "poddisruptionbudgets", metadata["namespace"], metadata["name"])

    def reconcile(self, key: Key) -> None:
        budget = self.store.get(key)
        if budget is None or budget["spec"].get("selector") is None:
            return
        now = self.loop.clock.now()
        pods = [pod for pod in self.store.objects("", "pods", key.namespace) if selects(budget, pod)]
        disrupted = self._still_disrupted(budget, pods, now)
        healthy = [pod for pod in pods if _is_healthy(pod) and pod["metadata"]["name"] not in disrupted]
        expected, desired = self._wanted(budget["spec"], pods)
        status: Json = {"observedGeneration": budget["metadata"]["generation"]}
        if disrupted:
            status["disruptedPods"] = disrupted
        status["disruptionsAllowed"] = max(0, len(healthy) - desired) if expected > 0 else 0
        status["currentHealthy"] = len(healthy)
        status["desiredHealthy"] = desired
        status["expectedPods"] = expected
        if budget["status"].get("conditions"):
            status["conditions"] = budget["status"]["conditions"]
        status = with_disruption_condition(status, budget["metadata"]["generation"], now)
        self.writes.update(self._budgets, key, budget, {**budget, "status": status}, self.origin, "status")
        if disrupted:
            first = min(parse_rfc3339(moment) for moment in disrupted.values())
            self.queue(key, max((first + DISRUPTED_FOR - now).total_seconds(), self.lag) + 1)

    @staticmethod
    def _still_disrupted(budget: Json, pods: list[Json], now: datetime) -> dict[str, str]:
        alive = {pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")}
        noted: dict[str, str] = budget["status"].get("disruptedPods") or {}
        return {
            name: moment
            for name, moment in noted.items()
            if name in alive and parse_rfc3339(moment) + DISRUPTED_FOR > now
        }

    def _wanted(self, spec: Json, pods: list[Json]) -> tuple[int, int]:
        """(expected pods, pods that must be healthy)."""
        if "maxUnavailable" in spec:
            expected = self._expected(pods)
            return expected, max(0, expected - _share(spec["maxUnavailable"], expected))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._expected(pods)
        return expected, _share(least, expected)

    def _expected(self, pods: list[Json]) -> int:
        """The sum of what the pods' controllers want."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner, obj = controller_of(pod), None
            if owner is not None and owner["kind"] in _PLURALS:
                plural = _PLURALS[owner["kind"]]
                obj = self.store.get(Key("apps", plural, pod["metadata"]["namespace"], owner["name"]))
            above = controller_of(obj) if obj is not None else None
            if obj is not None and above is not None and above["kind"] == "Deployment":
                key = Key("apps", "deployments", pod["metadata"]["namespace"], above["name"])
                obj = self.store.get(key) or obj
            if obj is not None:
                wanted[obj["metadata"]["uid"]] = obj["spec"]["replicas"]
        return sum(wanted.values())


def _is_healthy(pod: Json) -> bool:
    return ready_since(pod) is not None and not pod["metadata"].get("deletionTimestamp")


def _share(value: Any, total: int) -> int:
    if isinstance(value, int):
        return value
    return math.ceil(int(str(value).rstrip("%")) * total / 100)
