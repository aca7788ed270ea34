"""The ReplicaSet controller: makes and deletes pods, and counts them."""

from datetime import datetime, timedelta

from remediator.sandbox.kubernetes.clock import parse_rfc3339
from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.ownership import (
    adopted,
    controller_of,
    controller_reference,
    is_controlled_by,
    may_adopt,
)
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.deletion import DeleteOptions, delete
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes

_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def ready_since(pod: Json) -> datetime | None:
    """Since when the pod is Ready; None if it is not."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            return parse_rfc3339(condition["lastTransitionTime"])
    return None


def is_active(pod: Json) -> bool:
    """Whether the pod counts: neither finished nor on its way out."""
    finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not finished and not pod["metadata"].get("deletionTimestamp")


def first_to_go(pod: Json) -> tuple[object, ...]:
    """Sorts pods so that those to delete first come first, as Kubernetes chooses them."""
    since = ready_since(pod)
    statuses = pod.get("status", {}).get("containerStatuses") or []
    restarts = max((entry["restartCount"] for entry in statuses), default=0)
    cost = int((pod["metadata"].get("annotations") or {}).get(_DELETION_COST, "0"))
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASE_ORDER.get(pod.get("status", {}).get("phase", ""), 1),
        since is not None,
        cost,
        -(since.timestamp() if since else 0.0),
        -restarts,
        _newest_first(pod["metadata"]["creationTimestamp"]),
        pod["metadata"]["name"],
    )


def _newest_first(timestamp: str) -> float:
    return -parse_rfc3339(timestamp).timestamp()


class ReplicaSetController(Controller):
    """Keeps as many pods as each ReplicaSet wants."""

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._replica_sets = find("replicasets")
        self._pods = find("pods")
        self._events = Recorder(writes, "replicaset-controller", self.manager)

    def observe(self, change: Change) -> None:
        if change.key.of_resource("apps", "replicasets"):
            self.queue(change.key)
        elif change.key.of_resource("", "pods"):
            owner = controller_of(change.after)
            if owner is not None and owner["kind"] == "ReplicaSet":
                self.queue(Key("apps", "replicasets", change.key.namespace, owner["name"]))
            elif owner is None:
                self._queue_adopters(change)

    def _queue_adopters(self, change: Change) -> None:
        for key in self.store.keys("apps", "replicasets", change.key.namespace):
            replica_set = self.store.get(key)
            if replica_set is not None and may_adopt(replica_set, change.after):
                self.queue(key)

    def reconcile(self, key: Key) -> None:
        replica_set = self.store.get(key)
        if replica_set is None:
            return
        pods = [pod for pod in self._owned(replica_set) if is_active(pod)]
        if not replica_set["metadata"].get("deletionTimestamp"):
            self._manage(replica_set, pods)
        self._write_status(key, replica_set, pods)

    def _owned(self, replica_set: Json) -> list[Json]:
        found = []
        for pod in self.store.objects("", "pods", replica_set["metadata"]["namespace"]):
            if may_adopt(replica_set, pod) and is_active(pod):
                key = Key("", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
                taken = adopted(replica_set, pod)
                found.append(self.writes.update(self._pods, key, pod, taken, self.origin))
            elif is_controlled_by(pod, replica_set):
                found.append(pod)
        return found

    def _manage(self, replica_set: Json, pods: list[Json]) -> None:
        missing = replica_set["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            pod = self.writes.create(
                self._pods, replica_set["metadata"]["namespace"], self._pod(replica_set), self.origin
            )
            self._events.normal(replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        for pod in sorted(pods, key=first_to_go)[: max(0, -missing)]:
            key = Key("", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
            delete(self.writes, self._pods, key, DeleteOptions(), self.origin)
            self._events.normal(replica_set, "SuccessfulDelete", f"Deleted pod: {key.name}")

    @staticmethod
    def _pod(replica_set: Json) -> Json:
        template = replica_set["spec"]["template"]
        shown = template.get("metadata", {})
        metadata: Json = {
            name: shown[name] for name in ("labels", "annotations", "finalizers") if shown.get(name)
        }
        metadata["generateName"] = f"{replica_set['metadata']['name']}-"
        metadata["ownerReferences"] = [controller_reference(replica_set)]
        return {"metadata": metadata, "spec": template["spec"]}

    def _write_status(self, key: Key, replica_set: Json, pods: list[Json]) -> None:
        wanted_labels = replica_set["spec"]["template"]["metadata"].get("labels") or {}
        labelled = [p for p in pods if wanted_labels.items() <= (p["metadata"].get("labels") or {}).items()]
        ready = [since for since in map(ready_since, pods) if since is not None]
        settled = timedelta(seconds=replica_set["spec"].get("minReadySeconds", 0))
        now = self.loop.clock.now()
        available = [since for since in ready if since + settled <= now]
        counts = {
            "fullyLabeledReplicas": len(labelled),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        status = {"replicas": len(pods), **{name: value for name, value in counts.items() if value}}
        self.writes.update(
            self._replica_sets,
            key,
            self.store.get(key) or replica_set,
            {**(self.store.get(key) or replica_set), "status": status},
            self.origin,
            "status",
        )
        waiting = [since + settled - now for since in ready if since + settled > now]
        if waiting:
            self.queue(key, max(min(waiting).total_seconds(), self.lag))
