"""The ReplicaSet of a Deployment's current template: found or made, and given its revision."""

from remediator.sandbox.kubernetes.controllers import deployment_status as statuses
from remediator.sandbox.kubernetes.controllers import sizes
from remediator.sandbox.kubernetes.controllers.deployment_writes import DeploymentWrites
from remediator.sandbox.kubernetes.controllers.ownership import controller_reference
from remediator.sandbox.kubernetes.controllers.revisions import (
    HASH_LABEL,
    REVISION,
    annotations_for,
    hashed,
    newest_of,
    revision_of,
    template_hash,
)
from remediator.sandbox.kubernetes.status import Json


class RevisionSync:
    """Keeps the revision annotations of a Deployment and its ReplicaSets in step.

    A ReplicaSet that was made is told of in the Deployment's status at the next look, unless the Deployment was
    changed meanwhile: then the real controller's write is a conflict, and it begins anew.
    """

    def __init__(self, writes: DeploymentWrites) -> None:
        self._writes = writes
        self._made: dict[str, int] = {}

    def run(
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
        if self._made.pop(newest["metadata"]["uid"], None) == deployment["metadata"]["generation"]:
            return self._announce(deployment, newest), newest
        current = newest["metadata"].get("annotations") or {}
        annotations = annotations_for(deployment, current, revision)
        ready_seconds = deployment["spec"].get("minReadySeconds", 0)
        if annotations != current or newest["spec"].get("minReadySeconds", 0) != ready_seconds:
            spec = {**newest["spec"], **({"minReadySeconds": ready_seconds} if ready_seconds else {})}
            if not ready_seconds:
                spec.pop("minReadySeconds", None)
            after = {**newest, "metadata": {**newest["metadata"], "annotations": annotations}, "spec": spec}
            return deployment, self._writes.put_replica_set(newest, after)
        status = deployment.get("status", {})
        wanted = status
        if statuses.has_deadline(deployment) and statuses.condition(status, "Progressing") is None:
            message = f'Found new replica set "{newest["metadata"]["name"]}"'
            found = statuses.make_condition(
                "Progressing", "True", "FoundNewReplicaSet", message, self._writes.now()
            )
            wanted = statuses.with_condition(status, found)
        stamp = {REVISION: str(revision_of(newest))}
        if wanted is not status or revision_of(deployment) != revision_of(newest):
            deployment = self._writes.write_status(deployment, wanted, stamp)
        return deployment, newest

    def _count_collision(self, deployment: Json) -> Json:
        """Another's ReplicaSet has the name; with the count in its hash the next one will be called otherwise."""
        status = deployment.get("status", {})
        return self._writes.write_status(
            deployment, {**status, "collisionCount": status.get("collisionCount", 0) + 1}
        )

    def _make(self, deployment: Json, old: list[Json], revision: int) -> tuple[Json, Json | None]:
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
        made = self._writes.make_replica_set(metadata["namespace"], new)
        if made is None:
            return self._count_collision(deployment), None
        name = made["metadata"]["name"]
        if size > 0:
            self._writes.events.normal(
                deployment, "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}"
            )
        self._made[made["metadata"]["uid"]] = metadata["generation"]
        return deployment, made

    def _announce(self, deployment: Json, made: Json) -> Json:
        status = deployment.get("status", {})
        if statuses.has_deadline(deployment):
            message = f'Created new replica set "{made["metadata"]["name"]}"'
            condition = statuses.make_condition(
                "Progressing", "True", "NewReplicaSetCreated", message, self._writes.now()
            )
            status = statuses.with_condition(status, condition)
        return self._writes.write_status(deployment, status, {REVISION: str(revision_of(made))})
