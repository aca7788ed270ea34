"""What the Deployment controller writes: statuses, sizes of ReplicaSets, and the end of old ones."""

from datetime import datetime

from remediator.sandbox.kubernetes.controllers import sizes
from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.revisions import revision_of
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes


def replica_set_key(replica_set: Json) -> Key:
    """The key of a ReplicaSet."""
    metadata = replica_set["metadata"]
    return Key("apps", "replicasets", metadata["namespace"], metadata["name"])


class DeploymentWrites:
    """Writes on the controller's behalf; what changed nothing is no write."""

    def __init__(self, writes: Writes, origin: Origin) -> None:
        self._writes = writes
        self._origin = origin
        self._deployments = find("deployments")
        self._replica_sets = find("replicasets")
        self.events = Recorder(writes, "deployment-controller", origin.manager)

    def now(self) -> datetime:
        """The moment it is."""
        return self._writes.clock.now()

    def make_replica_set(self, namespace: str, new: Json) -> Json | None:
        """Create a ReplicaSet; None if there is one of that name."""
        if self._writes.store.get(Key("apps", "replicasets", namespace, new["metadata"]["name"])) is not None:
            return None
        return self._writes.create(self._replica_sets, namespace, new, self._origin)

    def put_replica_set(self, before: Json, after: Json) -> Json:
        """Store a ReplicaSet."""
        return self._writes.update(self._replica_sets, replica_set_key(before), before, after, self._origin)

    def write_status(self, deployment: Json, status: Json, annotations: Json | None = None) -> Json:
        """Store a Deployment's status over whatever it is now, and these annotations with it."""
        metadata = deployment["metadata"]
        key = Key("apps", "deployments", metadata["namespace"], metadata["name"])
        current = self._writes.store.get(key) or deployment
        kept = {**(current["metadata"].get("annotations") or {}), **(annotations or {})}
        wanted_metadata = {**current["metadata"], **({"annotations": kept} if kept else {})}
        wanted = {**current, "metadata": wanted_metadata, "status": status}
        return self._writes.update(self._deployments, key, current, wanted, self._origin, "status")

    def resize(self, deployment: Json, replica_set: Json, size: int) -> bool:
        """Change a ReplicaSet's size; whether it had another."""
        before = replica_set["spec"]["replicas"]
        self.resized(deployment, replica_set, size)
        return bool(before != size)

    def resized(self, deployment: Json, replica_set: Json, size: int) -> Json:
        """The ReplicaSet, stored with that size."""
        before = replica_set["spec"]["replicas"]
        metadata = replica_set["metadata"]
        annotations = {**(metadata.get("annotations") or {}), **sizes.size_annotations(deployment)}
        after = {
            **replica_set,
            "metadata": {**metadata, "annotations": annotations},
            "spec": {**replica_set["spec"], "replicas": size},
        }
        stored = self.put_replica_set(replica_set, after)
        if before != size:
            direction = "up" if size > before else "down"
            message = f"Scaled {direction} replica set {metadata['name']} from {before} to {size}"
            self.events.normal(deployment, "ScalingReplicaSet", message)
        return stored

    def clean_up(self, deployment: Json, old: list[Json]) -> None:
        """Remove the oldest ReplicaSets beyond revisionHistoryLimit."""
        limit = deployment["spec"].get("revisionHistoryLimit")
        alive = [rs for rs in old if not rs["metadata"].get("deletionTimestamp")]
        if limit is None or len(alive) <= limit:
            return
        for replica_set in sorted(alive, key=revision_of)[: len(alive) - limit]:
            status = replica_set.get("status", {})
            seen = replica_set["metadata"]["generation"] <= status.get("observedGeneration", 0)
            if status.get("replicas", 0) == 0 and replica_set["spec"]["replicas"] == 0 and seen:
                self._writes.store.remove(replica_set_key(replica_set), replica_set)
