"""From a request to its answer: routing, access, and the verb."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from remediator.sandbox.kubernetes import discovery, tables
from remediator.sandbox.kubernetes.access import Access, Account, authorize, review
from remediator.sandbox.kubernetes.controllers.kubelet import Kubelet
from remediator.sandbox.kubernetes.decoding import Strictness, decode_object, decode_patch, strictness_of
from remediator.sandbox.kubernetes.deletion import delete, read_delete_options
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.logs import pod_log
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.negotiation import Representation, negotiate, partial, partial_list
from remediator.sandbox.kubernetes.reads import list_body, list_objects, selection
from remediator.sandbox.kubernetes.request import Call, Route, parse_json, parse_route
from remediator.sandbox.kubernetes.resources import BY_NAME, VERSIONS, Resource
from remediator.sandbox.kubernetes.scale import SCALE, scale_of, with_scale
from remediator.sandbox.kubernetes.status import (
    ApiError,
    Cause,
    Json,
    invalid,
    method_not_allowed,
    no_such_route,
    not_emulated,
)
from remediator.sandbox.kubernetes.watching import Watch, read_watch
from remediator.sandbox.kubernetes.writes import Writes

_PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


@dataclass
class Answer:
    """What goes back: a JSON object, a text, or nothing."""

    code: int
    body: Json | str | None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stream:
    """A watch to be sent event by event."""

    watch: Watch
    present: Callable[[Json], Json]


class Api:
    """The API server without its sockets."""

    def __init__(
        self, writes: Writes, loop: Loop, access: Access, kubelet: Kubelet, *, watch_list: bool
    ) -> None:
        self._writes = writes
        self._loop = loop
        self._access = access
        self._kubelet = kubelet
        self._watch_list = watch_list
        self.host = ""

    def user_of(self, call: Call) -> str:
        """Who makes the request; "" if its token is unknown."""
        try:
            return self._access.account_of(call).user
        except ApiError:
            return ""

    def answer(self, call: Call) -> Answer | Stream:
        """What the request is answered with, and, if it is a write, its effect."""
        try:
            account = self._access.account_of(call)
            route = parse_route(call)
            authorize(account, call, route)
            return self._respond(call, route, account)
        except ApiError as refusal:
            return Answer(refusal.code, refusal.body(), refusal.headers)

    def _respond(self, call: Call, route: Route | None, account: Account) -> Answer | Stream:
        if route is None:
            return self._non_resource(call)
        if route.group not in VERSIONS:
            return Answer(404, "404 page not found\n", dict(_PLAIN))
        resource = BY_NAME.get((route.group, route.plural))
        if VERSIONS[route.group] != route.version or resource is None or not _fits(resource, route):
            raise no_such_route()
        if route.subresource and resource.subresource(route.subresource) is None:
            raise no_such_route()
        if resource.review:
            return self._review(call, route, account, resource)
        return self._resource(call, route, account, resource)

    def _non_resource(self, call: Call) -> Answer:
        if call.method != "GET":
            raise method_not_allowed()
        if call.path.split("/")[1] in ("healthz", "livez", "readyz"):
            return Answer(200, "ok", dict(_PLAIN))
        document = discovery.document(call.path, self.host)
        if document is None:
            return Answer(404, "404 page not found\n", dict(_PLAIN))
        return Answer(200, document)

    @staticmethod
    def _review(call: Call, route: Route, account: Account, resource: Resource) -> Answer:
        if route.verb != "create" or route.name:
            raise method_not_allowed()
        return Answer(201, review(account, decode_object(call, resource, Strictness("Ignore"))))

    def _resource(self, call: Call, route: Route, account: Account, resource: Resource) -> Answer | Stream:
        if route.subresource == "log":
            return self._log(call, route, resource)
        reading = route.verb in ("get", "list", "watch")
        if reading:
            return self._read(call, route, resource)
        if not _is_writable(resource, route):
            raise method_not_allowed()
        if resource.why_read_only:
            raise not_emulated(f"writing a {resource.kind}: {resource.why_read_only}")
        if route.subresource == "eviction":
            raise not_emulated("eviction")
        shown = negotiate(call)
        answer = self._write(call, route, account, resource)
        if isinstance(answer.body, dict) and answer.body.get("kind") == resource.kind:
            answer.body = self._shown(answer.body, resource, shown, call)
        return answer

    # -- reading ------------------------------------------------------------------------------------------

    def _read(self, call: Call, route: Route, resource: Resource) -> Answer | Stream:
        shown = negotiate(call)
        if route.verb == "watch":
            request = read_watch(call, route, resource, watch_list=self._watch_list)
            watch = Watch(self._writes.store, self._loop, request)
            return Stream(watch, lambda obj: self._shown(obj, resource, shown, call))
        if route.verb == "list":
            return self._list(call, route, resource, shown)
        key = self._writes.key(resource, route.namespace, route.name)
        found = self._writes.existing(resource, key)
        if route.subresource == "scale":
            return Answer(200, scale_of(found))
        return Answer(200, self._shown(found, resource, shown, call))

    def _list(self, call: Call, route: Route, resource: Resource, shown: Representation) -> Answer:
        page = list_objects(self._writes.store, call, route, resource)
        body = list_body(resource, page)
        if shown.form == "Table":
            now = self._loop.clock.now()
            include = call.query.get("includeObject", "Metadata")
            return Answer(200, tables.table(resource.kind, body["metadata"], page.items, include, now))
        if shown.form == "PartialObjectMetadataList":
            body = partial_list(body)
        elif shown.form:
            raise not_emulated(f"a list as {shown.form}")
        return Answer(200, body)

    def _shown(self, obj: Json, resource: Resource, shown: Representation, call: Call) -> Json:
        if obj.get("kind") == "Status" or not shown.form:
            return obj
        if shown.form == "PartialObjectMetadata":
            return partial(obj)
        if shown.form != "Table":
            raise not_emulated(f"an object as {shown.form}")
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        include = call.query.get("includeObject", "Metadata")
        return tables.table(resource.kind, metadata, [obj], include, self._loop.clock.now())

    def _log(self, call: Call, route: Route, resource: Resource) -> Answer:
        if route.verb != "get":
            raise method_not_allowed()
        pod = self._writes.existing(resource, self._writes.key(resource, route.namespace, route.name))
        text = pod_log(call, pod, self._kubelet.run_of(pod), self._loop.clock.now())
        if text is None:
            return Answer(204, None)
        return Answer(200, text, {"Content-Type": "text/plain"})

    # -- writing ------------------------------------------------------------------------------------------

    def _write(self, call: Call, route: Route, account: Account, resource: Resource) -> Answer:
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

    def _create(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
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
        if resource.create_by_put and self._writes.store.get(key) is None:
            return Answer(201, self._writes.create(resource, route.namespace, obj, origin))
        if resource.put_needs_version and not obj.get("metadata", {}).get("resourceVersion"):
            message = "Invalid value: 0: must be specified for an update"
            cause = Cause("FieldValueInvalid", message, "metadata.resourceVersion")
            raise invalid(resource.group, resource.kind, key.name, [cause])
        return Answer(200, self._writes.replace(resource, key, obj, origin, route.subresource))

    def _patch(
        self, call: Call, route: Route, resource: Resource, origin: Origin, strictness: Strictness
    ) -> Answer:
        key = self._writes.key(resource, route.namespace, route.name)
        if route.subresource == "scale":
            patch = decode_patch(call, SCALE, strictness)

            def rescale(obj: Json) -> Json:
                return with_scale(obj, patch.apply(scale_of(obj)))

            return Answer(200, scale_of(self._writes.patch(resource, key, rescale, origin, "scale")))
        patch = decode_patch(call, resource, strictness)
        return Answer(200, self._writes.patch(resource, key, patch.apply, origin, route.subresource))

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


def _fits(resource: Resource, route: Route) -> bool:
    if resource.namespaced or route.plural == "namespaces":
        return True
    return not route.namespace


def _is_writable(resource: Resource, route: Route) -> bool:
    subresource = resource.subresource(route.subresource) if route.subresource else None
    if subresource is not None:
        return route.verb in subresource.verbs
    if route.verb == "create":
        return not route.name and (bool(route.namespace) or not resource.namespaced)
    if route.verb == "deletecollection":
        return bool(route.namespace) or not resource.namespaced
    return bool(route.name) and route.verb in ("update", "patch", "delete")


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
