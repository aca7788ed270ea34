"""ControllerRevisions: the templates StatefulSets and DaemonSets had (Kubernetes' pkg/controller/history)."""

from remediator.sandbox.kubernetes.controllers.ownership import (
    adopted,
    controller_reference,
    is_controlled_by,
    may_adopt,
)
from remediator.sandbox.kubernetes.controllers.revisions import template_hash
from remediator.sandbox.kubernetes.deletion import DeleteOptions, delete
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes

HASH_LABEL = "controller-revision-hash"
"""The label by which a pod says of which revision it is."""


def data_of(owner: Json) -> Json:
    """What is kept of an object: its template, in the form of a strategic merge patch that puts it back."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: Json) -> Json:
    """The template a revision would put back."""
    template: Json = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def name_of(revision: Json) -> str:
    """A revision's name."""
    name: str = revision["metadata"]["name"]
    return name


class RevisionHistory:
    """The revisions of one kind of workload; `hash_label` is the key under which they carry their hash."""

    def __init__(self, writes: Writes, origin: Origin, hash_label: str) -> None:
        self._writes = writes
        self._origin = origin
        self._hash_label = hash_label
        self._resource = find("controllerrevisions")

    def of(self, owner: Json) -> list[Json]:
        """The owner's revisions, oldest first; those without a controller that it selects become its own."""
        found = []
        for revision in self._writes.store.objects(
            "apps", "controllerrevisions", owner["metadata"]["namespace"]
        ):
            if may_adopt(owner, revision):
                found.append(self._put(revision, adopted(owner, revision)))
            elif is_controlled_by(revision, owner):
                found.append(revision)
        return sorted(found, key=_age_order)

    def newest(self, owner: Json, revisions: list[Json]) -> tuple[Json, int]:
        """(the revision of the owner's template, collisionCount): made, or made the newest again, if it is not."""
        collisions = owner.get("status", {}).get("collisionCount", 0)
        same = [revision for revision in revisions if revision["data"] == data_of(owner)]
        number = max((revision["revision"] for revision in revisions), default=0) + 1
        if not same:
            return self._make(owner, number, collisions)
        if same[-1] is not revisions[-1]:
            return self._put(same[-1], {**same[-1], "revision": number}), collisions
        return same[-1], collisions

    def forget(self, revisions: list[Json], count: int) -> None:
        """Delete the first `count` of these."""
        for revision in revisions[: max(0, count)]:
            delete(self._writes, self._resource, self._key(revision), DeleteOptions(), self._origin)

    def hash_of(self, revision: Json) -> str:
        """The hash in a revision's labels."""
        return str(revision["metadata"]["labels"][self._hash_label])

    def _make(self, owner: Json, number: int, collisions: int) -> tuple[Json, int]:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        while True:
            digest = template_hash(template, collisions)
            name = f"{metadata['name']}-{digest}"
            taken = self._writes.store.get(Key("apps", "controllerrevisions", metadata["namespace"], name))
            if taken is None:
                break
            if taken["data"] == data_of(owner):
                return taken, collisions
            collisions += 1
        new: Json = {
            "metadata": {
                "name": name,
                "labels": {**(template["metadata"].get("labels") or {}), self._hash_label: digest},
                "ownerReferences": [controller_reference(owner)],
            },
            "data": data_of(owner),
            "revision": number,
        }
        if metadata.get("annotations"):
            new["metadata"]["annotations"] = metadata["annotations"]
        return self._writes.create(self._resource, metadata["namespace"], new, self._origin), collisions

    def _put(self, before: Json, after: Json) -> Json:
        return self._writes.update(self._resource, self._key(before), before, after, self._origin)

    @staticmethod
    def _key(revision: Json) -> Key:
        return Key("apps", "controllerrevisions", revision["metadata"]["namespace"], name_of(revision))


def _age_order(revision: Json) -> tuple[int, str, str]:
    metadata = revision["metadata"]
    return revision["revision"], metadata["creationTimestamp"], metadata["name"]
