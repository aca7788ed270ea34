"""The scheduler: binds pods to the node, or says why it cannot."""

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.quantities import quantity
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.selectors import node_named_by
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes


class Scheduler(Controller):
    """Puts each new pod on the first node it fits; what other pods use of the node is not looked at."""

    manager = "kube-scheduler"

    def __init__(self, writes: Writes, loop: Loop, seconds: float) -> None:
        super().__init__(writes, loop, seconds)
        self._pods = find("pods")
        self._events = Recorder(writes, "default-scheduler", self.manager)

    def observe(self, change: Change) -> None:
        if change.key.of_resource("", "pods") and change.type == "ADDED":
            if not change.after["spec"].get("nodeName"):
                self.queue(change.key)
        elif change.key.of_resource("", "nodes"):
            for key in self.store.keys("", "pods"):
                pod = self.store.get(key)
                if pod is not None and not pod["spec"].get("nodeName"):
                    self.queue(key)

    def reconcile(self, key: Key) -> None:
        pod = self.store.get(key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return
        nodes = self.store.objects("", "nodes")
        reasons = [self._obstacle(pod, node) for node in nodes]
        fitting = [node for node, reason in zip(nodes, reasons, strict=True) if reason is None]
        if fitting:
            self._bind(key, pod, fitting[0]["metadata"]["name"])
        else:
            self._refuse(key, pod, [reason for reason in reasons if reason])

    @staticmethod
    def _obstacle(pod: Json, node: Json) -> str | None:
        if node["spec"].get("unschedulable") and not _tolerates_cordon(pod):
            return "node(s) were unschedulable"
        containers = pod["spec"]["containers"]
        wanted = pod["spec"].get("nodeSelector") or {}
        named = node_named_by(pod["spec"])
        if (
            named not in (None, node["metadata"]["name"])
            or not wanted.items() <= (node["metadata"].get("labels") or {}).items()
        ):
            return "node(s) didn't match Pod's node affinity/selector"
        allocatable = node.get("status", {}).get("allocatable", {})
        for name in ("cpu", "memory"):
            wants = sum(quantity(one["resources"].get("requests", {}).get(name, "0")) for one in containers)
            if name in allocatable and wants > quantity(allocatable[name]):
                return f"Insufficient {name}"
        return None

    def _bind(self, key: Key, pod: Json, node: str) -> None:
        condition = self._condition("True")
        bound = {
            **pod,
            "spec": {**pod["spec"], "nodeName": node},
            "status": {**pod["status"], "conditions": [condition]},
        }
        self.writes.commit(self._pods, key, pod, bound, self.origin)
        message = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        self._events.normal(pod, "Scheduled", message)

    def _refuse(self, key: Key, pod: Json, reasons: list[str]) -> None:
        counted = sorted({reason: reasons.count(reason) for reason in reasons}.items())
        listed = ", ".join(f"{count} {reason}" for reason, count in counted)
        none = f"0/{len(reasons)} nodes are available:"
        short = all(reason.startswith("Insufficient") for reason in reasons)
        why = (
            "No preemption victims found for incoming pod"
            if short
            else "Preemption is not helpful for scheduling"
        )
        message = f"{none} {listed}. preemption: {none} {len(reasons)} {why}."
        condition = {**self._condition("False"), "reason": "Unschedulable", "message": message}
        status = {**pod["status"], "conditions": [condition]}
        origin = Origin(f"system:{self.manager}", self.manager, client=False)
        self.writes.update(self._pods, key, pod, {**pod, "status": status}, origin, "status")
        self._events.warning(pod, "FailedScheduling", message)

    def _condition(self, status: str) -> Json:
        now = rfc3339(self.loop.clock.now())
        return {"type": "PodScheduled", "status": status, "lastProbeTime": None, "lastTransitionTime": now}


def _tolerates_cordon(pod: Json) -> bool:
    keys = ("", "node.kubernetes.io/unschedulable")
    return any(entry.get("key", "") in keys for entry in pod["spec"].get("tolerations") or [])
