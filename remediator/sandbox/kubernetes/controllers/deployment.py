"""The Deployment controller: ReplicaSets per template, rolled out within maxSurge and maxUnavailable.

It follows Kubernetes v1.33 (pkg/controller/deployment) step by step, because what a reader of its status sees
between two steps matters to whoever decides on rollbacks.
"""

from remediator.sandbox.kubernetes.controllers import deployment_status as statuses
from remediator.sandbox.kubernetes.controllers import sizes
from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.ownership import (
    adopted,
    controller_of,
    controller_reference,
    is_controlled_by,
    may_adopt,
)
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.controllers.revisions import (
    HASH_LABEL,
    REVISION,
    age_order,
    annotations_for,
    hashed,
    newest_of,
    revision_of,
    template_hash,
)
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes


class DeploymentController(Controller):
    """Brings ReplicaSets to what their Deployments want."""

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._deployments = find("deployments")
        self._replica_sets = find("replicasets")
        self._events = Recorder(writes, "deployment-controller", self.manager)

    def observe(self, change: Change) -> None:
        if change.key.of_resource("apps", "deployments"):
            self.queue(change.key)
        elif change.key.of_resource("apps", "replicasets"):
            self._queue_owner(change.key.namespace, change.after)
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
            self._write_status(deployment, statuses.counted(deployment, owned, None, self._now()))
            return
        deployment = self._note_pause(key, deployment)
        spec = deployment["spec"]
        if spec.get("paused") or sizes.is_scaling(deployment, owned):
            self._scale_only(key, deployment, owned)
        elif spec["strategy"]["type"] == "Recreate":
            self._recreate(key, deployment, owned)
        else:
            self._roll(key, deployment, owned)

    def _now(self):  # type: ignore[no-untyped-def]
        return self.loop.clock.now()

    def _key_of(self, replica_set: Json) -> Key:
        metadata = replica_set["metadata"]
        return Key("apps", "replicasets", metadata["namespace"], metadata["name"])

    def _owned(self, deployment: Json) -> list[Json]:
        found = []
        for replica_set in self.store.objects("apps", "replicasets", deployment["metadata"]["namespace"]):
            if may_adopt(deployment, replica_set):
                found.append(self._put(replica_set, adopted(deployment, replica_set)))
            elif is_controlled_by(replica_set, deployment):
                found.append(replica_set)
        return found

    def _put(self, before: Json, after: Json) -> Json:
        key = self._key_of(before)
        return self.writes.update(self._replica_sets, key, before, after, self.origin)

    def _write_status(self, deployment: Json, status: Json, annotations: Json | None = None) -> Json:
        metadata = deployment["metadata"]
        key = Key("apps", "deployments", metadata["namespace"], metadata["name"])
        current = self.store.get(key) or deployment
        kept = {**(current["metadata"].get("annotations") or {}), **(annotations or {})}
        wanted_metadata = {**current["metadata"], **({"annotations": kept} if kept else {})}
        wanted = {**current, "metadata": wanted_metadata, "status": status}
        return self.writes.update(self._deployments, key, current, wanted, self.origin, "status")

    # -- the new ReplicaSet -------------------------------------------------------------------------------

    def _sync_revisions(
        self, deployment: Json, owned: list[Json], *, create: bool
    ) -> tuple[Json, Json | None, list[Json]]:
        """(the Deployment, its new ReplicaSet, the old ones), with the revision annotations set."""
        newest = newest_of(deployment["spec"]["template"], owned)
        old = [rs for rs in owned if newest is None or rs["metadata"]["uid"] != newest["metadata"]["uid"]]
        revision = max((revision_of(rs) for rs in old), default=0) + 1
        if newest is not None:
            deployment, newest = self._revise(deployment, newest, revision)
        elif create:
            deployment, newest = self._make(deployment, old, revision)
        return deployment, newest, old

    def _revise(self, deployment: Json, newest: Json, revision: int) -> tuple[Json, Json]:
        current = newest["metadata"].get("annotations") or {}
        annotations = annotations_for(deployment, current, revision)
        ready_seconds = deployment["spec"].get("minReadySeconds", 0)
        if annotations != current or newest["spec"].get("minReadySeconds", 0) != ready_seconds:
            spec = {**newest["spec"], **({"minReadySeconds": ready_seconds} if ready_seconds else {})}
            if not ready_seconds:
                spec.pop("minReadySeconds", None)
            after = {**newest, "metadata": {**newest["metadata"], "annotations": annotations}, "spec": spec}
            return deployment, self._put(newest, after)
        status = deployment.get("status", {})
        wanted = status
        if statuses.has_deadline(deployment) and statuses.condition(status, "Progressing") is None:
            message = f'Found new replica set "{newest["metadata"]["name"]}"'
            found = statuses.make_condition("Progressing", "True", "FoundNewReplicaSet", message, self._now())
            wanted = statuses.with_condition(status, found)
        stamp = {REVISION: str(revision_of(newest))}
        if wanted is not status or revision_of(deployment) != revision_of(newest):
            deployment = self._write_status(deployment, wanted, stamp)
        return deployment, newest

    def _make(self, deployment: Json, old: list[Json], revision: int) -> tuple[Json, Json]:
        spec, metadata = deployment["spec"], deployment["metadata"]
        digest = template_hash(spec["template"], deployment.get("status", {}).get("collisionCount", 0))
        template = hashed(spec["template"], digest)
        size = sizes.new_replica_set_size(deployment, old, 0)
        annotations = {**annotations_for(deployment, {}, revision), **sizes.size_annotations(deployment)}
        selector = spec["selector"]
        labels = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
        new = {
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "labels": template["metadata"]["labels"],
                "annotations": annotations,
                "ownerReferences": [controller_reference(deployment)],
            },
            "spec": {
                "replicas": size,
                "selector": {**selector, "matchLabels": labels},
                "template": template,
                **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            },
        }
        made = self.writes.create(self._replica_sets, metadata["namespace"], new, self.origin)
        name = made["metadata"]["name"]
        if size > 0:
            self._events.normal(
                deployment, "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}"
            )
        status = deployment.get("status", {})
        if statuses.has_deadline(deployment):
            message = f'Created new replica set "{name}"'
            condition = statuses.make_condition(
                "Progressing", "True", "NewReplicaSetCreated", message, self._now()
            )
            status = statuses.with_condition(status, condition)
        return self._write_status(deployment, status, {REVISION: str(revision)}), made

    # -- strategies ---------------------------------------------------------------------------------------

    def _roll(self, key: Key, deployment: Json, owned: list[Json]) -> None:
        deployment, newest, old = self._sync_revisions(deployment, owned, create=True)
        assert newest is not None
        every = [*old, newest]
        if not self._grow_new(deployment, newest, every):
            shrunk = self._shrink_old(deployment, newest, old)
            if not shrunk and statuses.is_complete(deployment, deployment.get("status", {})):
                self._clean_up(deployment, old)
        self._sync_status(key, deployment, newest, old)

    def _grow_new(self, deployment: Json, newest: Json, every: list[Json]) -> bool:
        replicas, current = deployment["spec"]["replicas"], newest["spec"]["replicas"]
        if current == replicas:
            return False
        size = replicas if current > replicas else sizes.new_replica_set_size(deployment, every, current)
        return self._resize(deployment, newest, size)

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
                current[index] = self._resized(deployment, replica_set, size - count)
        spare = sizes.observed([*current, newest], "availableReplicas") - minimum
        for replica_set in current:
            count = min(max(spare, 0), replica_set["spec"]["replicas"])
            if count:
                spare -= count
                removed += count
                self._resized(deployment, replica_set, replica_set["spec"]["replicas"] - count)
        return removed > 0

    def _recreate(self, key: Key, deployment: Json, owned: list[Json]) -> None:
        deployment, newest, old = self._sync_revisions(deployment, owned, create=False)
        active = [rs for rs in old if rs["spec"]["replicas"] > 0]
        for replica_set in active:
            self._resized(deployment, replica_set, 0)
        if not active and not self._old_pods_run(deployment, newest, old):
            if newest is None:
                deployment, newest, old = self._sync_revisions(deployment, owned, create=True)
            assert newest is not None
            self._resize(deployment, newest, deployment["spec"]["replicas"])
            if statuses.is_complete(deployment, deployment.get("status", {})):
                self._clean_up(deployment, old)
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
        deployment, newest, old = self._sync_revisions(deployment, owned, create=False)
        self._scale(deployment, newest, old)
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        status = statuses.counted(deployment, self._fresh(deployment), self._again(newest), self._now())
        self._write_status(deployment, status)

    def _scale(self, deployment: Json, newest: Json | None, old: list[Json]) -> None:
        replicas = deployment["spec"]["replicas"]
        every = [*old, *([newest] if newest else [])]
        active = [rs for rs in every if rs["spec"]["replicas"] > 0]
        if len(active) <= 1:
            only = active[0] if active else newest or max(old, key=age_order, default=None)
            if only is not None:
                self._resize(deployment, only, replicas)
        elif newest is not None and self._is_saturated(newest, replicas):
            for replica_set in old:
                if replica_set["spec"]["replicas"] > 0:
                    self._resize(deployment, replica_set, 0)
        elif sizes.is_rolling(deployment):
            planned = sizes.proportional_sizes(deployment, active)
            for replica_set in active:
                self._resize(deployment, replica_set, planned[replica_set["metadata"]["name"]])

    @staticmethod
    def _is_saturated(newest: Json, replicas: int) -> bool:
        available = newest.get("status", {}).get("availableReplicas", 0)
        desired = (newest["metadata"].get("annotations") or {}).get(
            "deployment.kubernetes.io/desired-replicas"
        )
        return bool(desired == str(replicas) and newest["spec"]["replicas"] == replicas == available)

    # -- the parts ----------------------------------------------------------------------------------------

    def _resize(self, deployment: Json, replica_set: Json, size: int) -> bool:
        before = replica_set["spec"]["replicas"]
        self._resized(deployment, replica_set, size)
        return bool(before != size)

    def _resized(self, deployment: Json, replica_set: Json, size: int) -> Json:
        before = replica_set["spec"]["replicas"]
        metadata = replica_set["metadata"]
        annotations = {**(metadata.get("annotations") or {}), **sizes.size_annotations(deployment)}
        after = {
            **replica_set,
            "metadata": {**metadata, "annotations": annotations},
            "spec": {**replica_set["spec"], "replicas": size},
        }
        stored = self._put(replica_set, after)
        if before != size:
            direction = "up" if size > before else "down"
            message = f"Scaled {direction} replica set {metadata['name']} from {before} to {size}"
            self._events.normal(deployment, "ScalingReplicaSet", message)
        return stored

    def _fresh(self, deployment: Json) -> list[Json]:
        namespace = deployment["metadata"]["namespace"]
        every = self.store.objects("apps", "replicasets", namespace)
        return [rs for rs in every if is_controlled_by(rs, deployment)]

    def _again(self, replica_set: Json | None) -> Json | None:
        return None if replica_set is None else self.store.get(self._key_of(replica_set))

    def _sync_status(self, key: Key, deployment: Json, newest: Json | None, old: list[Json]) -> None:
        every, now = self._fresh(deployment), self._now()
        newest = self._again(newest)
        counted = statuses.counted(deployment, every, newest, now)
        status = statuses.with_progress(deployment, counted, newest, now)
        self._write_status(deployment, status)
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
            "Progressing", "Unknown", f"Deployment{word[0]}", f"Deployment is {word[1]}", self._now()
        )
        return self._write_status(deployment, statuses.with_condition(deployment.get("status", {}), new))

    def _clean_up(self, deployment: Json, old: list[Json]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit")
        alive = [rs for rs in old if not rs["metadata"].get("deletionTimestamp")]
        if limit is None or len(alive) <= limit:
            return
        for replica_set in sorted(alive, key=revision_of)[: len(alive) - limit]:
            status = replica_set.get("status", {})
            seen = replica_set["metadata"]["generation"] <= status.get("observedGeneration", 0)
            if status.get("replicas", 0) == 0 and replica_set["spec"]["replicas"] == 0 and seen:
                self.store.remove(self._key_of(replica_set), replica_set)
