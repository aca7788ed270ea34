"""The DaemonSet controller: one pod on each node, replaced within maxUnavailable.

It follows Kubernetes v1.33 (pkg/controller/daemon). A pod that is not available does not hold up its replacement:
unlike a StatefulSet, a DaemonSet with a better template frees itself.
"""

from remediator.sandbox.kubernetes.controllers.daemonset_pods import (
    by_node,
    is_updated,
    pod_for,
    should_run,
)
from remediator.sandbox.kubernetes.controllers.history import HASH_LABEL, RevisionHistory
from remediator.sandbox.kubernetes.controllers.pod_owner import PodOwner
from remediator.sandbox.kubernetes.controllers.pods import (
    claimed_pods,
    is_available,
    is_finished,
    is_terminating,
    ready_since,
)
from remediator.sandbox.kubernetes.controllers.sizes import resolve
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes

_ALWAYS_SHOWN = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")


class DaemonSetController(PodOwner):
    """Brings a pod to every node its DaemonSet is for."""

    plural = "daemonsets"

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._history = RevisionHistory(writes, self.origin, HASH_LABEL)

    def observe(self, change: Change) -> None:
        super().observe(change)
        if change.key.of_resource("", "nodes"):
            for key in self.store.keys("apps", self.plural):
                self.queue(key)

    def reconcile(self, key: Key) -> None:
        daemon_set = self.store.get(key)
        if daemon_set is None or is_terminating(daemon_set):
            return
        revisions = self._history.of(daemon_set)
        update, collisions = self._history.newest(daemon_set, revisions)
        digest = self._history.hash_of(update)
        claimed = claimed_pods(self.writes, daemon_set, self.origin)
        pods, nodes = by_node(claimed), self.store.objects("", "nodes")
        if not self._manage(daemon_set, nodes, pods, digest):
            self._replace_outdated(daemon_set, nodes, pods, digest)
        old = [each for each in revisions if each["metadata"]["uid"] != update["metadata"]["uid"]]
        self._clean_up(daemon_set, old, claimed)
        self._write_status(daemon_set, nodes, pods, digest, collisions)
        self.look_again_when_available(key, claimed, daemon_set["spec"].get("minReadySeconds", 0))

    # -- pods -----------------------------------------------------------------------------------------------

    def _manage(self, daemon_set: Json, nodes: list[Json], pods: dict[str, list[Json]], digest: str) -> bool:
        """Give each node its one pod; whether there was anything to do."""
        missing: list[str] = []
        surplus: list[Json] = []
        for node in nodes:
            name = node["metadata"]["name"]
            staying = [pod for pod in pods.get(name, []) if not is_terminating(pod)]
            if not should_run(daemon_set, node):
                surplus += staying
                continue
            if not pods.get(name):
                missing.append(name)
            running = [pod for pod in staying if not is_finished(pod)]
            surplus += [pod for pod in staying if is_finished(pod)] + running[1:]
        for name in missing:
            made = self.create_pod(daemon_set, pod_for(daemon_set, name, digest))
            self.events.normal(daemon_set, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        self._remove(daemon_set, surplus)
        return bool(missing or surplus)

    def _remove(self, daemon_set: Json, pods: list[Json]) -> None:
        for pod in pods:
            self.delete_pod(pod)
            self.events.normal(daemon_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _replace_outdated(
        self, daemon_set: Json, nodes: list[Json], pods: dict[str, list[Json]], digest: str
    ) -> None:
        """Delete pods of older templates: those that are not available at once, others within maxUnavailable."""
        strategy = daemon_set["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        settled, now = daemon_set["spec"].get("minReadySeconds", 0), self.loop.clock.now()
        desired = sum(should_run(daemon_set, node) for node in nodes)
        most = resolve(strategy["rollingUpdate"]["maxUnavailable"], desired, round_up=True)
        unavailable = 0
        broken: list[Json] = []
        working: list[Json] = []
        for on_node in pods.values():
            staying = [pod for pod in on_node if not is_terminating(pod)]
            available = len(staying) == 1 and is_available(staying[0], settled, now)
            if len(staying) != 1 or is_updated(daemon_set, staying[0], digest):
                unavailable += not available
            else:
                (working if available else broken).append(staying[0])
        self._remove(daemon_set, [*broken, *working[: max(0, most - unavailable)]])

    # -- status and history ---------------------------------------------------------------------------------

    def _write_status(
        self,
        daemon_set: Json,
        nodes: list[Json],
        pods: dict[str, list[Json]],
        digest: str,
        collisions: int,
    ) -> None:
        """What is counted is what was there before this look changed anything."""
        settled, now = daemon_set["spec"].get("minReadySeconds", 0), self.loop.clock.now()
        on_nodes = {node["metadata"]["name"]: should_run(daemon_set, node) for node in nodes}
        oldest = [pods[name][0] for name, wanted in on_nodes.items() if wanted and pods.get(name)]
        available = sum(is_available(pod, settled, now) for pod in oldest)
        desired = sum(on_nodes.values())
        status = {
            "currentNumberScheduled": len(oldest),
            "numberMisscheduled": sum(
                bool(pods.get(name)) for name, wanted in on_nodes.items() if not wanted
            ),
            "desiredNumberScheduled": desired,
            "numberReady": sum(ready_since(pod) is not None for pod in oldest),
            "observedGeneration": daemon_set["metadata"]["generation"],
            "updatedNumberScheduled": sum(is_updated(daemon_set, pod, digest) for pod in oldest),
            "numberAvailable": available,
            "numberUnavailable": desired - available,
            "collisionCount": collisions,
        }
        shown = {name: value for name, value in status.items() if value or name in _ALWAYS_SHOWN}
        self.write_status(daemon_set, shown)

    def _clean_up(self, daemon_set: Json, old: list[Json], pods: list[Json]) -> None:
        """Forget the oldest revisions beyond revisionHistoryLimit, but none that a pod is of."""
        live = {(pod["metadata"].get("labels") or {}).get(HASH_LABEL) for pod in pods}
        unused = [revision for revision in old if self._history.hash_of(revision) not in live]
        self._history.forget(unused, len(old) - daemon_set["spec"]["revisionHistoryLimit"])
