"""The StatefulSet controller: numbered pods, one after the other, of the revision their number calls for.

It follows Kubernetes v1.33 (pkg/controller/statefulset), with its known flaw: while an OrderedReady set waits for
a pod that will never be ready, a better template does not replace that pod; it has to be deleted.
"""

from remediator.sandbox.kubernetes.controllers.history import RevisionHistory, name_of
from remediator.sandbox.kubernetes.controllers.pod_owner import PodOwner
from remediator.sandbox.kubernetes.controllers.pods import (
    claimed_pods,
    is_finished,
    is_terminating,
    pod_key,
)
from remediator.sandbox.kubernetes.controllers.statefulset_pods import (
    Members,
    identity,
    is_created,
    is_healthy,
    is_running_and_ready,
    ordinal_of,
    revision_of,
)
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes

_REVISION_HASH = "controller.kubernetes.io/hash"
_ALWAYS_SHOWN = ("replicas", "availableReplicas", "collisionCount")


class StatefulSetController(PodOwner):
    """Brings pods to what their StatefulSets want."""

    plural = "statefulsets"

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._history = RevisionHistory(writes, self.origin, _REVISION_HASH)

    def reconcile(self, key: Key) -> None:
        stateful_set = self.store.get(key)
        if stateful_set is None:
            return
        pods = claimed_pods(
            self.writes, stateful_set, self.origin, lambda pod: ordinal_of(stateful_set, pod) is not None
        )
        revisions = self._history.of(stateful_set)
        update, collisions = self._history.newest(stateful_set, revisions)
        named = stateful_set["status"].get("currentRevision")
        current = next((each for each in revisions if name_of(each) == named), update)
        members = Members.find(stateful_set, (current, update), pods, self.loop.clock.now())
        counts = self._advance(members)
        self._write_status(members, counts, collisions)
        self._clean_up(members, revisions, pods)
        self.look_again_when_available(key, pods, stateful_set["spec"].get("minReadySeconds", 0))

    # -- pods -----------------------------------------------------------------------------------------------

    def _advance(self, members: Members) -> Json:
        """Do what can be done now; what is counted is what was there before."""
        counts = members.counts()
        if is_terminating(members.stateful_set):
            return counts
        for process, pods in ((self._keep, members.replicas), (self._dismiss, members.condemned)):
            for pod in pods:
                if process(members, pod) and members.is_ordered:
                    return counts
        if members.stateful_set["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            self._replace_outdated(members, counts)
        return counts

    def _keep(self, members: Members, pod: Json) -> bool:
        """Make or restart one of the pods that are wanted; whether the pods after it have to wait."""
        stateful_set = members.stateful_set
        if not is_created(pod):
            self.create_pod(stateful_set, pod)
            self._tell(stateful_set, "create", pod)
            return True
        if is_finished(pod):
            if not is_terminating(pod):
                self._remove(stateful_set, pod)
            return True
        if members.is_ordered and (is_terminating(pod) or not members.is_available(pod)):
            return True
        self._restore_labels(stateful_set, pod)
        return False

    def _dismiss(self, members: Members, pod: Json) -> bool:
        """Delete one of the pods that are too many; whether those after it have to wait."""
        if is_terminating(pod):
            return True
        steady = is_running_and_ready(pod) and members.is_available(pod)
        if members.is_ordered and not steady and pod is not members.first_unhealthy():
            return True
        self._remove(members.stateful_set, pod)
        return True

    def _replace_outdated(self, members: Members, counts: Json) -> None:
        """Delete the highest pod that is not of the update revision; nothing while one above it is unhealthy."""
        for pod in reversed(members.replicas[members.partition :]):
            if revision_of(pod) != name_of(members.update) and not is_terminating(pod):
                self._remove(members.stateful_set, pod)
                counts["currentReplicas"] = max(0, counts["currentReplicas"] - 1)
                return
            if not is_healthy(pod):
                return

    def _remove(self, stateful_set: Json, pod: Json) -> None:
        self.delete_pod(pod)
        self._tell(stateful_set, "delete", pod)

    def _tell(self, stateful_set: Json, verb: str, pod: Json) -> None:
        name = stateful_set["metadata"]["name"]
        message = f"{verb} Pod {pod['metadata']['name']} in StatefulSet {name} successful"
        self.events.normal(stateful_set, f"Successful{verb.capitalize()}", message)

    def _restore_labels(self, stateful_set: Json, pod: Json) -> None:
        ordinal = ordinal_of(stateful_set, pod)
        if ordinal is None:
            return
        labels = {**(pod["metadata"].get("labels") or {}), **identity(stateful_set, ordinal)[1]}
        after = {**pod, "metadata": {**pod["metadata"], "labels": labels}}
        self.writes.update(self.pods, pod_key(pod), pod, after, self.origin)

    # -- status and history ---------------------------------------------------------------------------------

    def _write_status(self, members: Members, counts: Json, collisions: int) -> None:
        spec = members.stateful_set["spec"]
        status = {
            "observedGeneration": members.stateful_set["metadata"]["generation"],
            **counts,
            "currentRevision": name_of(members.current),
            "updateRevision": name_of(members.update),
            "collisionCount": collisions,
        }
        whole = ("updatedReplicas", "readyReplicas", "replicas")
        if spec["updateStrategy"]["type"] == "RollingUpdate" and all(
            counts[name] == spec["replicas"] for name in whole
        ):
            status["currentReplicas"] = counts["updatedReplicas"]
            status["currentRevision"] = status["updateRevision"]
        shown = {name: value for name, value in status.items() if value or name in _ALWAYS_SHOWN}
        self.write_status(members.stateful_set, shown)

    def _clean_up(self, members: Members, revisions: list[Json], pods: list[Json]) -> None:
        """Forget the oldest revisions beyond revisionHistoryLimit that no pod is of."""
        live = {name_of(members.current), name_of(members.update), *map(revision_of, pods)}
        old = [revision for revision in revisions if name_of(revision) not in live]
        limit: int = members.stateful_set["spec"]["revisionHistoryLimit"]
        self._history.forget(old, len(old) - limit)
