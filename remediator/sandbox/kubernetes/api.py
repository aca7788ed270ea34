"""From a request to its answer: routing, access, and the verb."""

from remediator.sandbox.kubernetes import discovery, tables
from remediator.sandbox.kubernetes.access import Access, Account, authorize
from remediator.sandbox.kubernetes.answers import Answer, Stream
from remediator.sandbox.kubernetes.controllers.kubelet import Kubelet
from remediator.sandbox.kubernetes.decoding import Strictness, decode_object
from remediator.sandbox.kubernetes.logs import pod_log
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.negotiation import Representation, negotiate, partial, partial_list
from remediator.sandbox.kubernetes.not_emulated import is_not_emulated
from remediator.sandbox.kubernetes.reads import list_body, list_objects
from remediator.sandbox.kubernetes.request import Call, Route, parse_route
from remediator.sandbox.kubernetes.resources import BY_NAME, CUSTOM_GROUPS, VERSIONS, Resource
from remediator.sandbox.kubernetes.reviews import review
from remediator.sandbox.kubernetes.scale import scale_of
from remediator.sandbox.kubernetes.status import (
    ApiError,
    Json,
    method_not_allowed,
    no_such_route,
    not_emulated,
)
from remediator.sandbox.kubernetes.watching import Watch, read_watch
from remediator.sandbox.kubernetes.write_verbs import WriteVerbs
from remediator.sandbox.kubernetes.writes import Writes

_LARGEST_BODY = 3 * 1024 * 1024
_PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class Api:
    """The API server without its sockets."""

    def __init__(
        self, writes: Writes, loop: Loop, access: Access, kubelet: Kubelet, *, watch_list: bool
    ) -> None:
        self._writes = writes
        self._verbs = WriteVerbs(writes)
        self._loop = loop
        self._access = access
        self._kubelet = kubelet
        self._watch_list = watch_list
        self.host = ""
        self.groups = VERSIONS.keys() - CUSTOM_GROUPS
        """The groups that are served."""

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
            if len(call.body) > _LARGEST_BODY:
                message = f"Request entity too large: limit is {_LARGEST_BODY}"
                raise ApiError(413, message, "RequestEntityTooLarge")
            return self._respond(call, route, account)
        except ApiError as refusal:
            return Answer(refusal.code, refusal.body(), refusal.headers)

    def _respond(self, call: Call, route: Route | None, account: Account) -> Answer | Stream:
        if route is None:
            return self._non_resource(call)
        if is_not_emulated(route):
            raise not_emulated(f"{route.full_resource} of {route.group or 'core'}/{route.version}")
        if route.group not in self.groups:
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
        document = discovery.document(call.path, self.host, self.groups)
        if document is None:
            return Answer(404, "404 page not found\n", dict(_PLAIN))
        return Answer(200, document)

    def _review(self, call: Call, route: Route, account: Account, resource: Resource) -> Answer:
        if route.verb != "create" or route.name:
            raise method_not_allowed()
        asked = decode_object(call, resource, Strictness("Ignore"))
        return Answer(201, review(self._access, account, resource, asked))

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
        shown = negotiate(call)
        answer = self._verbs.answer(call, route, account, resource)
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
