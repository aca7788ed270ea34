"""The verbs that write: create, update, patch, apply, delete."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from remediator.sandbox.kubernetes.access import Account, refusal
from remediator.sandbox.kubernetes.answers import Answer
from remediator.sandbox.kubernetes.decoding import (
    APPLY,
    Strictness,
    decode_apply,
    decode_object,
    decode_patch,
    strictness_of,
)
from remediator.sandbox.kubernetes.deletion import delete, read_delete_options
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.eviction import EVICTION, evict
from remediator.sandbox.kubernetes.reads import list_body, list_objects, selection
from remediator.sandbox.kubernetes.request import Call, Route, parse_json
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.scale import SCALE, scale_of, with_scale
from remediator.sandbox.kubernetes.server_side_apply import applied_leaves, apply
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json, invalid, not_emulated
from remediator.sandbox.kubernetes.writes import Writes


class WriteVerbs:
    """Answers requests that write."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def answer(self, call: Call, route: Route, account: Account, resource: Resource) -> Answer:
        """Do what the request asks.

        Raises:
            ApiError: the write is refused.
        """
        self._check_apply_may_create(call, route, account, resource)
        origin = _origin(call, account, route)
        strictness = strictness_of(call)
        verbs: dict[str, Callable[..., Answer]] = {
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        answer = verbs[route.verb](call, route, resource, origin, strictness)
        warnings = [f'299 - "{_quoted(text)}"' for text in strictness.warnings]
        if warnings:
            answer.headers["Warning"] = ", ".join(warnings)
        return answer

    def _check_apply_may_create(self, call: Call, route: Route, account: Account, resource: Resource) -> None:
        key = self._writes.key(resource, route.namespace, route.name)
        creates = call.media_type in APPLY and self._writes.store.get(key) is None
        if creates and not account.may("create", route.group, route.plural, route.namespace, route.name):
            raise refusal(account, "create", route)

    def _create(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        if route.subresource == "eviction":
            eviction = decode_object(call, EVICTION, strictness)
            key = self._writes.key(resource, route.namespace, route.name)
            return Answer(201, evict(self._writes, key, eviction, origin))
        obj = decode_object(call, resource, strictness)
        inside = (obj.get("metadata") or {}).get("namespace", route.namespace)
        if resource.namespaced and inside != route.namespace:
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise ApiError(400, message, "BadRequest")
        return Answer(201, self._writes.create(resource, route.namespace, obj, origin))

    def _update(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        key = self._writes.key(resource, route.namespace, route.name)
        if route.subresource == "scale":
            scale = decode_object(call, SCALE, strictness)
            after = self._writes.patch(resource, key, lambda obj: with_scale(obj, scale), origin, "scale")
            return Answer(200, scale_of(after))
        obj = decode_object(call, resource, strictness)
        return Answer(200, self._writes.replace(resource, key, obj, origin, route.subresource))

    def _patch(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        if call.media_type in APPLY:
            return self._apply(call, route, resource, origin)
        key = self._writes.key(resource, route.namespace, route.name)
        if route.subresource == "scale":
            patch = decode_patch(call, SCALE, strictness)

            def rescale(obj: Json) -> Json:
                return with_scale(obj, patch.apply(scale_of(obj)))

            return Answer(200, scale_of(self._writes.patch(resource, key, rescale, origin, "scale")))
        patch = decode_patch(call, resource, strictness)
        return Answer(200, self._writes.patch(resource, key, patch.apply, origin, route.subresource))

    def _apply(self, call: Call, route: Route, resource: Resource, origin: Origin) -> Answer:
        if not call.query.get("fieldManager"):
            cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
            raise invalid("meta.k8s.io", "PatchOptions", "", [cause])
        if route.subresource:
            raise not_emulated("server-side apply to a subresource")
        config = decode_apply(call, resource)
        key = self._writes.key(resource, route.namespace, route.name)
        before = self._writes.store.get(key)
        if before is None:
            paths = frozenset(path for path, _ in applied_leaves(config, resource.schema))
            obj = {**config, "metadata": {**config.get("metadata", {}), "name": route.name}}
            made = self._writes.create(resource, route.namespace, obj, replace(origin, applied=paths))
            return Answer(201, made)
        force = call.flag("force")
        applied = apply(before, config, resource.schema, origin.manager, force=force)
        by = replace(origin, applied=applied.paths)
        return Answer(200, self._writes.update(resource, key, before, applied.wanted, by))

    def _delete(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        key = self._writes.key(resource, route.namespace, route.name)
        options = read_delete_options(_optional_body(call), dict(call.query))
        return Answer(200, delete(self._writes, resource, key, options, origin))

    def _delete_collection(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        options = read_delete_options(_optional_body(call), dict(call.query))
        chosen = selection(call, resource)
        page = list_objects(self._writes.store, Call("GET", call.path), route, resource)
        doomed = [obj for obj in page.items if chosen(obj)]
        for obj in doomed:
            key = self._writes.key(resource, route.namespace, obj["metadata"]["name"])
            delete(self._writes, resource, key, options, origin)
        body = list_body(resource, page)
        body["metadata"] = {"resourceVersion": str(self._writes.store.version)}
        body["items"] = [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in doomed]
        return Answer(200, body)


def _optional_body(call: Call) -> Json:
    if not call.body.strip():
        return {}
    value: Any = parse_json(call.body).value
    return value if isinstance(value, dict) else {}


def _origin(call: Call, account: Account, route: Route) -> Origin:
    agent = call.headers.get("user-agent", "")
    dry = call.query.get("dryRun", "")
    if dry not in ("", "All"):
        kinds = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
        message = f'Unsupported value: []string{{"{dry}"}}: supported values: "All"'
        cause = Cause("FieldValueNotSupported", message, "dryRun")
        raise invalid("meta.k8s.io", kinds.get(route.verb, "DeleteOptions"), "", [cause])
    manager = call.query.get("fieldManager") or agent.partition("/")[0] or "unknown"
    return Origin(account.user, manager, route.verb, agent, dry_run=dry == "All")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
