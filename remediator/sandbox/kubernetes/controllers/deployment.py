"""The Deployment controller: ReplicaSets per template, rolled out within maxSurge and maxUnavailable.

It follows Kubernetes v1.33 (pkg/controller/deployment) step by step, because what a reader of its status sees
between two steps matters to whoever decides on rollbacks.
"""

from remediator.sandbox.kubernetes.controllers import deployment_status as statuses
from remediator.sandbox.kubernetes.controllers import sizes
from remediator.sandbox.kubernetes.controllers.deployment_writes import DeploymentWrites, replica_set_key
from remediator.sandbox.kubernetes.controllers.new_replica_set import RevisionSync
from remediator.sandbox.kubernetes.controllers.ownership import (
    adopted,
    controller_of,
    is_controlled_by,
    may_adopt,
)
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.controllers.revisions import age_order
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes


class DeploymentController(Controller):
    """Brings ReplicaSets to what their Deployments want."""

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._writes = DeploymentWrites(writes, self.origin)
        self._revisions = RevisionSync(self._writes)

    def observe(self, change: Change) -> None:
        if change.key.of_resource("apps", "deployments"):
            if change.type != "DELETED":
                self.queue(change.key)
        elif change.key.of_resource("apps", "replicasets"):
            self._queue_owner(change.key.namespace, change.after)
            if change.before is not None and controller_of(change.after) is None:
                self._queue_owner(change.key.namespace, change.before)
        elif change.key.of_resource("", "pods") and change.type == "DELETED":
            self._queue_recreating(change)

    def _queue_owner(self, namespace: str, replica_set: Json) -> None:
        owner = controller_of(replica_set)
        if owner is not None and owner["kind"] == "Deployment":
            self.queue(Key("apps", "deployments", namespace, owner["name"]))

    def _queue_recreating(self, change: Change) -> None:
        owner = controller_of(change.after)
        if owner is None or owner["kind"] != "ReplicaSet":
            return
        replica_set = self.store.get(Key("apps", "replicasets", change.key.namespace, owner["name"]))
        if replica_set is not None:
            self._queue_owner(change.key.namespace, replica_set)

    def reconcile(self, key: Key) -> None:
        deployment = self.store.get(key)
        if deployment is None:
            return
        owned = self._owned(deployment)
        if deployment["metadata"].get("deletionTimestamp"):
            self._writes.write_status(
                deployment, statuses.counted(deployment, owned, None, self._writes.now())
            )
            return
        deployment = self._note_pause(key, deployment)
        spec = deployment["spec"]
        if spec.get("paused") or sizes.is_scaling(deployment, owned):
            self._scale_only(key, deployment, owned)
        elif spec["strategy"]["type"] == "Recreate":
            self._recreate(key, deployment, owned)
        else:
            self._roll(key, deployment, owned)

    def _owned(self, deployment: Json) -> list[Json]:
        found = []
        for replica_set in self.store.objects("apps", "replicasets", deployment["metadata"]["namespace"]):
            if may_adopt(deployment, replica_set):
                found.append(self._writes.put_replica_set(replica_set, adopted(deployment, replica_set)))
            elif is_controlled_by(replica_set, deployment):
                found.append(replica_set)
        return found

    # -- strategies ---------------------------------------------------------------------------------------

    def _roll(self, key: Key, deployment: Json, owned: list[Json]) -> None:
        version = self.store.version
        deployment, newest, old = self._revisions.run(deployment, owned, create=True)
        if newest is None or self.store.version != version:
            return  # what was written queues the next look: readers see this state, too
        every = [*old, newest]
        if not self._grow_new(deployment, newest, every):
            shrunk = self._shrink_old(deployment, newest, old)
            if not shrunk and statuses.is_complete(deployment, deployment.get("status", {})):
                self._writes.clean_up(deployment, old)
        self._sync_status(key, deployment, newest, old)

    def _grow_new(self, deployment: Json, newest: Json, every: list[Json]) -> bool:
        replicas, current = deployment["spec"]["replicas"], newest["spec"]["replicas"]
        if current == replicas:
            return False
        size = replicas if current > replicas else sizes.new_replica_set_size(deployment, every, current)
        return self._writes.resize(deployment, newest, size)

    def _shrink_old(self, deployment: Json, newest: Json, old: list[Json]) -> bool:
        if sizes.wanted(old) == 0:
            return False
        minimum = deployment["spec"]["replicas"] - sizes.max_unavailable(deployment)
        missing = newest["spec"]["replicas"] - newest.get("status", {}).get("availableReplicas", 0)
        most = sizes.wanted([*old, newest]) - minimum - missing
        if most <= 0:
            return False
        removed = 0
        current = sorted(old, key=age_order)
        for index, replica_set in enumerate(current):
            size = replica_set["spec"]["replicas"]
            unhealthy = size - replica_set.get("status", {}).get("availableReplicas", 0)
            count = min(most - removed, unhealthy)
            if size and count > 0:
                removed += count
                current[index] = self._writes.resized(deployment, replica_set, size - count)
        spare = sizes.observed([*current, newest], "availableReplicas") - minimum
        for replica_set in current:
            count = min(max(spare, 0), replica_set["spec"]["replicas"])
            if count:
                spare -= count
                removed += count
                self._writes.resized(deployment, replica_set, replica_set["spec"]["replicas"] - count)
        return removed > 0

    def _recreate(self, key: Key, deployment: Json, owned: list[Json]) -> None:
        deployment, newest, old = self._revisions.run(deployment, owned, create=False)
        active = [rs for rs in old if rs["spec"]["replicas"] > 0]
        for replica_set in active:
            self._writes.resized(deployment, replica_set, 0)
        if not active and not self._old_pods_run(deployment, newest, old):
            if newest is None:
                self._revisions.run(deployment, owned, create=True)
                return
            self._writes.resize(deployment, newest, deployment["spec"]["replicas"])
            if statuses.is_complete(deployment, deployment.get("status", {})):
                self._writes.clean_up(deployment, old)
        self._sync_status(key, deployment, newest, old)

    def _old_pods_run(self, deployment: Json, newest: Json | None, old: list[Json]) -> bool:
        if sizes.observed(old, "replicas") > 0:
            return True
        uids = {rs["metadata"]["uid"] for rs in old}
        for pod in self.store.objects("", "pods", deployment["metadata"]["namespace"]):
            owner = controller_of(pod)
            running = pod.get("status", {}).get("phase") not in ("Failed", "Succeeded")
            if owner is not None and owner["uid"] in uids and running:
                return True
        return False

    def _scale_only(self, key: Key, deployment: Json, owned: list[Json]) -> None:
        deployment, newest, old = self._revisions.run(deployment, owned, create=False)
        self._scale(deployment, newest, old)
        if deployment["spec"].get("paused"):
            self._writes.clean_up(deployment, old)
        status = statuses.counted(
            deployment, self._fresh(deployment), self._again(newest), self._writes.now()
        )
        self._writes.write_status(deployment, status)

    def _scale(self, deployment: Json, newest: Json | None, old: list[Json]) -> None:
        replicas = deployment["spec"]["replicas"]
        every = [*old, *([newest] if newest else [])]
        active = [rs for rs in every if rs["spec"]["replicas"] > 0]
        if len(active) <= 1:
            only = active[0] if active else newest or max(old, key=age_order, default=None)
            if only is not None:
                self._writes.resize(deployment, only, replicas)
        elif newest is not None and self._is_saturated(newest, replicas):
            for replica_set in old:
                if replica_set["spec"]["replicas"] > 0:
                    self._writes.resize(deployment, replica_set, 0)
        elif sizes.is_rolling(deployment):
            planned = sizes.proportional_sizes(deployment, active)
            for replica_set in active:
                self._writes.resize(deployment, replica_set, planned[replica_set["metadata"]["name"]])

    @staticmethod
    def _is_saturated(newest: Json, replicas: int) -> bool:
        available = newest.get("status", {}).get("availableReplicas", 0)
        desired = (newest["metadata"].get("annotations") or {}).get(
            "deployment.kubernetes.io/desired-replicas"
        )
        return bool(desired == str(replicas) and newest["spec"]["replicas"] == replicas == available)

    # -- the parts ----------------------------------------------------------------------------------------

    def _fresh(self, deployment: Json) -> list[Json]:
        namespace = deployment["metadata"]["namespace"]
        every = self.store.objects("apps", "replicasets", namespace)
        return [rs for rs in every if is_controlled_by(rs, deployment)]

    def _again(self, replica_set: Json | None) -> Json | None:
        return None if replica_set is None else self.store.get(replica_set_key(replica_set))

    def _sync_status(self, key: Key, deployment: Json, newest: Json | None, old: list[Json]) -> None:
        every, now = self._fresh(deployment), self._writes.now()
        newest = self._again(newest)
        counted = statuses.counted(deployment, every, newest, now)
        status = statuses.with_progress(deployment, counted, newest, now)
        self._writes.write_status(deployment, status)
        deadline = statuses.deadline_of(deployment, status)
        if deadline is not None and not statuses.is_complete(deployment, status):
            self.queue(key, max((deadline - now).total_seconds() + 1, self.lag))

    def _note_pause(self, key: Key, deployment: Json) -> Json:
        if not statuses.has_deadline(deployment):
            return deployment
        progressing = statuses.condition(deployment.get("status", {}), "Progressing")
        reason = progressing["reason"] if progressing else ""
        paused = bool(deployment["spec"].get("paused"))
        if reason == statuses.TIMED_OUT or paused == (reason == statuses.PAUSED):
            return deployment
        word = ("Paused", "paused") if paused else ("Resumed", "resumed")
        new = statuses.make_condition(
            "Progressing", "Unknown", f"Deployment{word[0]}", f"Deployment is {word[1]}", self._writes.now()
        )
        return self._writes.write_status(
            deployment, statuses.with_condition(deployment.get("status", {}), new)
        )
