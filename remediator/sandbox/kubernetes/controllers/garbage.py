"""The garbage collector and the namespace controller: what goes away because something else went."""

from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.deletion import FOREGROUND, ORPHAN, DeleteOptions, delete
from remediator.sandbox.kubernetes.resources import BY_KIND, BY_NAME, find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key


class GarbageCollector(Controller):
    """Deletes dependents whose owners are gone, and lets go of owners whose finalizers are served."""

    def observe(self, change: Change) -> None:
        metadata = change.after["metadata"]
        if change.type == "DELETED":
            for key in self._dependents(metadata["uid"]):
                self.queue(key)
            for owner in metadata.get("ownerReferences") or []:
                self._queue_owner(change.key, owner)
        elif (metadata.get("ownerReferences") and change.type == "ADDED") or (
            metadata.get("deletionTimestamp") and metadata.get("finalizers")
        ):
            self.queue(change.key)

    def _queue_owner(self, key: Key, owner: Json) -> None:
        resource = BY_KIND.get((owner["apiVersion"], owner["kind"]))
        if resource is not None:
            namespace = key.namespace if resource.namespaced else ""
            self.queue(Key(resource.group, resource.plural, namespace, owner["name"]))

    def _dependents(self, uid: str) -> list[Key]:
        return [
            key
            for key, obj in self.store.all()
            if any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences") or [])
        ]

    def reconcile(self, key: Key) -> None:
        obj = self.store.get(key)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if obj["metadata"].get("deletionTimestamp") and FOREGROUND in finalizers:
            self._foreground(key, obj)
        elif obj["metadata"].get("deletionTimestamp") and ORPHAN in finalizers:
            self._orphan(key, obj)
        else:
            self._collect(key, obj)

    def _foreground(self, key: Key, owner: Json) -> None:
        dependents = self._dependents(owner["metadata"]["uid"])
        for dependent in dependents:
            found = self.store.get(dependent)
            if found is not None and not found["metadata"].get("deletionTimestamp"):
                own = self._dependents(found["metadata"]["uid"])
                options = DeleteOptions(propagation="Foreground" if own else "")
                resource = BY_NAME[(dependent.group, dependent.plural)]
                delete(self.writes, resource, dependent, options, self.origin)
        if not dependents:
            self._without_finalizer(key, owner, FOREGROUND)

    def _orphan(self, key: Key, owner: Json) -> None:
        uid = owner["metadata"]["uid"]
        dependents = self._dependents(uid)
        for dependent in dependents:
            found = self.store.get(dependent)
            if found is None:
                continue
            owners = [entry for entry in found["metadata"]["ownerReferences"] if entry["uid"] != uid]
            metadata = {name: value for name, value in found["metadata"].items() if name != "ownerReferences"}
            if owners:
                metadata["ownerReferences"] = owners
            resource = BY_NAME[(dependent.group, dependent.plural)]
            self.writes.update(resource, dependent, found, {**found, "metadata": metadata}, self.origin)
        if dependents:
            self.queue(key)
        else:
            self._without_finalizer(key, owner, ORPHAN)

    def _without_finalizer(self, key: Key, obj: Json, finalizer: str) -> None:
        current = self.store.get(key)
        if current is None:
            return
        left = [name for name in current["metadata"].get("finalizers", []) if name != finalizer]
        metadata = {name: value for name, value in current["metadata"].items() if name != "finalizers"}
        if left:
            metadata["finalizers"] = left
        resource = BY_NAME[(key.group, key.plural)]
        self.writes.commit(resource, key, current, {**current, "metadata": metadata}, self.origin)

    def _collect(self, key: Key, obj: Json) -> None:
        owners = obj["metadata"].get("ownerReferences") or []
        if not owners or any(self._exists(key, owner) for owner in owners):
            return
        if not obj["metadata"].get("deletionTimestamp"):
            delete(self.writes, BY_NAME[(key.group, key.plural)], key, DeleteOptions(), self.origin)

    def _exists(self, key: Key, owner: Json) -> bool:
        resource = BY_KIND.get((owner["apiVersion"], owner["kind"]))
        if resource is None:
            return True
        namespace = key.namespace if resource.namespaced else ""
        found = self.store.get(Key(resource.group, resource.plural, namespace, owner["name"]))
        return found is not None and found["metadata"]["uid"] == owner["uid"]


class NamespaceController(Controller):
    """Empties namespaces that are being deleted, then removes them."""

    def observe(self, change: Change) -> None:
        if change.key.of_resource("", "namespaces"):
            self.queue(change.key)
        elif change.type == "DELETED" and change.key.namespace:
            self.queue(Key("", "namespaces", "", change.key.namespace))

    def reconcile(self, key: Key) -> None:
        namespace = self.store.get(key)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        inside = [(inner, obj) for inner, obj in self.store.all() if inner.namespace == key.name]
        for inner, obj in inside:
            if not obj["metadata"].get("deletionTimestamp"):
                resource = BY_NAME[(inner.group, inner.plural)]
                delete(self.writes, resource, inner, DeleteOptions(), self.origin)
        if not any(inner.namespace == key.name for inner, _ in self.store.all()):
            empty = {**namespace, "spec": {**namespace["spec"], "finalizers": []}}
            self.writes.commit(find("namespaces"), key, namespace, empty, self.origin)
