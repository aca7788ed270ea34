"""The ReplicaSet controller: makes and deletes pods, and counts them."""

from remediator.sandbox.kubernetes.clock import parse_rfc3339
from remediator.sandbox.kubernetes.controllers.pod_owner import PodOwner
from remediator.sandbox.kubernetes.controllers.pods import (
    claimed_pods,
    is_active,
    is_available,
    pod_from,
    ready_since,
)
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Key

_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


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


class ReplicaSetController(PodOwner):
    """Keeps as many pods as each ReplicaSet wants."""

    plural = "replicasets"

    def reconcile(self, key: Key) -> None:
        replica_set = self.store.get(key)
        if replica_set is None:
            return
        pods = [pod for pod in claimed_pods(self.writes, replica_set, self.origin) if is_active(pod)]
        if not replica_set["metadata"].get("deletionTimestamp"):
            self._manage(replica_set, pods)
        self._write_status(key, replica_set, pods)

    def _manage(self, replica_set: Json, pods: list[Json]) -> None:
        missing = replica_set["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            pod = self.create_pod(replica_set, pod_from(replica_set, replica_set["spec"]["template"]))
            self.events.normal(replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        for pod in sorted(pods, key=first_to_go)[: max(0, -missing)]:
            self.delete_pod(pod)
            self.events.normal(replica_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _write_status(self, key: Key, replica_set: Json, pods: list[Json]) -> None:
        wanted_labels = replica_set["spec"]["template"]["metadata"].get("labels") or {}
        labelled = [p for p in pods if wanted_labels.items() <= (p["metadata"].get("labels") or {}).items()]
        settled, now = replica_set["spec"].get("minReadySeconds", 0), self.loop.clock.now()
        ready = [pod for pod in pods if ready_since(pod) is not None]
        available = [pod for pod in ready if is_available(pod, settled, now)]
        counts = {
            "fullyLabeledReplicas": len(labelled),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        status = {"replicas": len(pods), **{name: value for name, value in counts.items() if value}}
        self.write_status(replica_set, status)
        self.look_again_when_available(key, pods, settled)
