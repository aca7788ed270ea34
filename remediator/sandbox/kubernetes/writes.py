"""Create, replace and patch: from what a writer wants to what is stored, by the rules of the kind."""

import copy
from collections.abc import Callable

from remediator.sandbox.kubernetes import managed_fields
from remediator.sandbox.kubernetes.admission import admit, admit_change
from remediator.sandbox.kubernetes.clock import Clock, rfc3339
from remediator.sandbox.kubernetes.defaults import apply_defaults
from remediator.sandbox.kubernetes.effects import Effect, Origin, is_claim
from remediator.sandbox.kubernetes.resources import Generation, Resource
from remediator.sandbox.kubernetes.schema import prune
from remediator.sandbox.kubernetes.status import (
    STALE,
    TERMINATING,
    ApiError,
    Cause,
    Json,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
)
from remediator.sandbox.kubernetes.store import Key, Store
from remediator.sandbox.kubernetes.validation import object_causes, update_causes

_BOOKKEEPING = ("managedFields", "resourceVersion")
_NOT_SPEC = ("kind", "apiVersion", "metadata", "status")


class Writes:
    """The writing half of the API, shared by HTTP clients and the emulator's controllers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.effects: list[Effect] = []

    def key(self, resource: Resource, namespace: str, name: str) -> Key:
        """The key of an object of this resource."""
        return Key(resource.group, resource.plural, namespace if resource.namespaced else "", name)

    def existing(self, resource: Resource, key: Key) -> Json:
        """The object as it is.

        Raises:
            ApiError: 404.
        """
        found = self.store.get(key)
        if found is None:
            raise not_found(resource.group, resource.plural, key.name)
        return found

    def create(self, resource: Resource, namespace: str, obj: Json, origin: Origin) -> Json:
        """Store a new object and return it as stored (or, in a dry run, as it would be)."""
        if obj.get("metadata", {}).get("resourceVersion"):
            raise ApiError(500, "resourceVersion should not be set on objects to be created")
        self._check_namespace(resource, namespace, obj.get("metadata", {}).get("name", ""))
        new = self._new_object(resource, namespace, obj)
        causes = object_causes(resource.kind, new)
        if causes:
            raise invalid(resource.group, resource.kind, new["metadata"].get("name", ""), causes)
        key = self.key(resource, namespace, new["metadata"]["name"])
        if self.store.get(key) is not None:
            raise already_exists(resource.group, resource.plural, key.name)
        self._track_owner(resource, None, new, origin, "")
        admit(resource.kind, new, self.store.new_suffix())
        if origin.dry_run:
            return new
        stored = self.store.put(key, new)
        self.note(origin, resource, key, "", None, stored)
        return stored

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get(Key("", "namespaces", "", namespace))
        if found is None:
            raise not_found("", "namespaces", namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause(TERMINATING, f"namespace {namespace} is being terminated", "metadata.namespace")
            raise forbidden(resource.group, resource.plural, name, why, [cause])

    def _new_object(self, resource: Resource, namespace: str, obj: Json) -> Json:
        new = prune(copy.deepcopy(obj), resource.schema)
        metadata = {**new.get("metadata", {})}
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + self.store.new_suffix()
        if resource.namespaced:
            metadata["namespace"] = namespace
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"):
            metadata.pop(name, None)
        metadata["uid"] = self.store.new_uid()
        metadata["creationTimestamp"] = rfc3339(self.clock.now())
        if resource.generation is not Generation.NONE:
            metadata["generation"] = 1
        new = {"kind": resource.kind, "apiVersion": resource.api_version, **new, "metadata": metadata}
        new.update(kind=resource.kind, apiVersion=resource.api_version)
        if resource.subresource("status") and not resource.why_read_only:
            new.pop("status", None)
        if metadata.get("name"):
            apply_defaults(resource.kind, new)
        return new

    def replace(self, resource: Resource, key: Key, obj: Json, origin: Origin, subresource: str = "") -> Json:
        """PUT: store `obj` in place of what is there; a resourceVersion or uid in it is a precondition."""
        before = self.existing(resource, key)
        metadata = obj.get("metadata", {})
        uid = metadata.get("uid")
        if uid and uid != before["metadata"]["uid"]:
            raise conflict(resource.group, resource.plural, key.name, _uid_mismatch(key, uid, before))
        return self.update(resource, key, before, obj, origin, subresource)

    def patch(
        self,
        resource: Resource,
        key: Key,
        change: Callable[[Json], Json],
        origin: Origin,
        subresource: str = "",
    ) -> Json:
        """Apply `change` to a copy of the object and store the outcome."""
        before = self.existing(resource, key)
        return self.update(resource, key, before, change(copy.deepcopy(before)), origin, subresource)

    def update(
        self,
        resource: Resource,
        key: Key,
        before: Json,
        wanted: Json,
        origin: Origin,
        subresource: str = "",
    ) -> Json:
        """Store `wanted` over `before`: versions compared, the server's fields kept, validated, owned."""
        metadata = wanted.get("metadata") or {}
        if metadata.get("name", key.name) != key.name:
            other = metadata["name"]
            raise bad_request(
                f"the name of the object ({other}) does not match the name on the URL ({key.name})"
            )
        version = metadata.get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(resource.group, resource.plural, key.name, STALE)
        if origin.client and metadata.get("managedFields") == [{}]:
            return self._without_owners(resource, key, before, origin)
        after = self._prepared(resource, before, wanted, subresource)
        causes = [] if subresource else update_causes(resource.kind, before, after)
        if causes:
            raise invalid(resource.group, resource.kind, key.name, causes)
        unchanged = _content(after) == _content(before)
        if unchanged and origin.applied is None:
            return before
        if _has_new_generation(resource, before, after, subresource):
            after["metadata"]["generation"] = before["metadata"].get("generation", 0) + 1
        self._track_owner(resource, before, after, origin, subresource)
        admit_change(resource.kind, before, after)
        if unchanged and after["metadata"].get("managedFields") == before["metadata"].get("managedFields"):
            return before
        return self.commit(resource, key, before, after, origin, subresource)

    def _without_owners(self, resource: Resource, key: Key, before: Json, origin: Origin) -> Json:
        """How a client gets rid of metadata.managedFields: it sets one empty entry."""
        metadata = {name: value for name, value in before["metadata"].items() if name != "managedFields"}
        return self.commit(resource, key, before, {**before, "metadata": metadata}, origin)

    def commit(
        self, resource: Resource, key: Key, before: Json, after: Json, origin: Origin, subresource: str = ""
    ) -> Json:
        """Store a state that is ready; an object being deleted without finalizers left is removed."""
        if origin.dry_run:
            return after
        metadata = after["metadata"]
        gone = _is_released(after) and not metadata.get("finalizers")
        if not gone:
            stored = self.store.put(key, after)
            self.note(origin, resource, key, subresource, before, stored)
            return stored
        self.store.remove(key, after)
        self.note(origin, resource, key, subresource, before, None)
        return {**after, "metadata": {**metadata, "resourceVersion": before["metadata"]["resourceVersion"]}}

    def _prepared(self, resource: Resource, before: Json, wanted: Json, subresource: str) -> Json:
        new: Json = prune(wanted, resource.schema)
        old = before["metadata"]
        metadata = {**new.get("metadata", {})}
        for name in ("namespace", "generation", "creationTimestamp", "managedFields", "resourceVersion"):
            _keep(old, metadata, name)
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "generateName", "name"):
            _keep(old, metadata, name)
        metadata.setdefault("uid", old["uid"])
        if subresource == "status":
            kept = {**old, "annotations": metadata.get("annotations")}
            metadata = {name: value for name, value in kept.items() if value is not None}
            return {**before, "metadata": metadata, "status": new.get("status", {})}
        after = {**new, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if resource.subresource("status"):
            after["status"] = before.get("status", {})
        apply_defaults(resource.kind, after, before)
        return after

    def _track_owner(
        self, resource: Resource, before: Json | None, after: Json, origin: Origin, subresource: str
    ) -> None:
        writer = managed_fields.Writer(
            kind=resource.schema,
            name=resource.kind,
            manager=origin.manager,
            api_version=resource.api_version,
            subresource=subresource,
            now=rfc3339(self.clock.now()),
            applied=origin.applied,
        )
        owned = (before or {}).get("metadata", {}).get("managedFields", [])
        entries = managed_fields.update(owned, before, after, writer)
        after["metadata"].pop("managedFields", None)
        if entries:
            after["metadata"]["managedFields"] = entries

    def note(
        self,
        origin: Origin,
        resource: Resource,
        key: Key,
        subresource: str,
        before: Json | None,
        after: Json | None,
    ) -> None:
        """Write a client's applied change into the log of effects."""
        if not origin.client:
            return
        one = after or before or {}
        self.effects.append(
            Effect(
                sequence=len(self.effects) + 1,
                at=self.clock.now(),
                user=origin.user,
                user_agent=origin.user_agent,
                field_manager=origin.manager,
                verb=origin.verb,
                resource=resource.plural,
                subresource=subresource,
                namespace=key.namespace,
                name=key.name,
                uid=one["metadata"]["uid"],
                before=copy.deepcopy(before),
                after=copy.deepcopy(after),
                claim=is_claim(before, after),
            )
        )


def _uid_mismatch(key: Key, uid: str, before: Json) -> str:
    path = "/registry/" + "/".join(part for part in (key.plural, key.namespace, key.name) if part)
    return (
        f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before['metadata']['uid']}"
    )


def _keep(old: Json, new: Json, name: str) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)


def _content(obj: Json) -> Json:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _BOOKKEEPING}
    return {**obj, "metadata": metadata}


def _has_new_generation(resource: Resource, before: Json, after: Json, subresource: str) -> bool:
    if subresource == "status" or resource.generation is Generation.NONE:
        return False
    old = {name: value for name, value in before.items() if name not in _NOT_SPEC}
    new = {name: value for name, value in after.items() if name not in _NOT_SPEC}
    if old != new:
        return True
    if resource.generation is not Generation.SPEC_AND_ANNOTATIONS:
        return False
    return bool(before["metadata"].get("annotations", {}) != after["metadata"].get("annotations", {}))


def _is_released(obj: Json) -> bool:
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return False
    held_namespace = obj["kind"] == "Namespace" and bool(obj.get("spec", {}).get("finalizers"))
    return not held_namespace and not metadata.get("deletionGracePeriodSeconds")
