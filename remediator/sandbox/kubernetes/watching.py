"""Watches: what to send first, what each change means to a selector, bookmarks, and how a watch ends."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.reads import list_options_error, selection, version_error
from remediator.sandbox.kubernetes.request import Call, Route, integer
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json
from remediator.sandbox.kubernetes.store import Change, Store

_LONGEST_SECONDS = 45 * 60
"""A real server ends a watch without timeoutSeconds after half an hour to an hour."""
_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_SECONDS = 2.0


@dataclass(frozen=True)
class WatchRequest:
    """What a watch asks for."""

    resource: Resource
    namespace: str
    name: str
    version: int | None
    chosen: Callable[[Json], bool]
    bookmarks: bool
    initial_events: bool
    announced_end: bool
    seconds: float


def read_watch(call: Call, route: Route, resource: Resource, *, watch_list: bool) -> WatchRequest:
    """Understand a watch request.

    Raises:
        ApiError: 400, 422, or 500 for a version that is no number, as the real server.
    """
    wanted = call.query.get("resourceVersion", "")
    initial = _initial_events(call, watch_list)
    if wanted and not wanted.isdigit():
        raise ApiError(500, version_error(wanted))
    from_now_on = wanted not in ("", "0")
    chosen = selection(call, resource)
    return WatchRequest(
        resource=resource,
        namespace=route.namespace if resource.namespaced else "",
        name=route.name,
        version=int(wanted) if from_now_on else None,
        chosen=chosen,
        bookmarks=call.flag("allowWatchBookmarks"),
        initial_events=initial is True or (initial is None and not from_now_on),
        announced_end=initial is True and call.flag("allowWatchBookmarks"),
        seconds=float(integer(call, "timeoutSeconds") or _LONGEST_SECONDS),
    )


def _initial_events(call: Call, watch_list: bool) -> bool | None:
    text = call.query.get("sendInitialEvents", "")
    if not text:
        return None
    causes = []
    if call.query.get("resourceVersionMatch") != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(Cause("FieldValueForbidden", why, "resourceVersionMatch"))
    if not watch_list:
        gate = (
            "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        )
        causes.append(Cause("FieldValueForbidden", gate, "sendInitialEvents"))
    if causes:
        raise list_options_error(causes)
    return text == "true"


class Watch:
    """One open watch; iterate over `events()`."""

    def __init__(self, store: Store, loop: Loop, request: WatchRequest) -> None:
        self._store = store
        self._loop = loop
        self._request = request
        self._changes: list[Change] = []
        self._woken = asyncio.Event()
        self._ended = False
        self._bookmark_due = False
        self._sent_version = 0

    async def events(self) -> AsyncGenerator[Json]:
        """Watch events until the watch times out or `end` is called."""
        request = self._request
        self._sent_version = self._store.version
        first = self._first_events()
        self._store.listen(self._see)
        timers = [self._loop.after(request.seconds, self.end)]
        if request.bookmarks:
            timers.append(self._loop.after(_BOOKMARK_SECONDS, self._bookmark))
            last = request.seconds - _LAST_BOOKMARK_SECONDS
            if last > _LAST_BOOKMARK_SECONDS:
                timers.append(self._loop.after(last, self._bookmark))
        try:
            for event in first:
                yield event
                if event["type"] == "ERROR":
                    return
            async for event in self._later_events():
                yield event
        finally:
            self._store.silence(self._see)
            for timer in timers:
                timer.cancel()

    def end(self) -> None:
        """Close the watch cleanly."""
        self._ended = True
        self._woken.set()

    def _bookmark(self) -> None:
        self._bookmark_due = True
        self._woken.set()

    def _see(self, change: Change) -> None:
        self._changes.append(change)
        self._woken.set()

    def _first_events(self) -> list[Json]:
        request, store = self._request, self._store
        if request.version is not None and request.version < store.oldest and not request.initial_events:
            message = f"too old resource version: {request.version} ({store.oldest})"
            return [{"type": "ERROR", "object": ApiError(410, message, "Expired").body()}]
        events: list[Json] = []
        if request.initial_events:
            present = store.objects(request.resource.group, request.resource.plural, request.namespace)
            events = [{"type": "ADDED", "object": obj} for obj in present if self._wanted(obj)]
            if request.announced_end:
                events.append(self._bookmark_event(initial=True))
        elif request.version is not None:
            found = (self._event(change) for change in store.since(request.version))
            events = [event for event in found if event is not None]
        return events

    async def _later_events(self) -> AsyncGenerator[Json]:
        while True:
            while self._changes:
                event = self._event(self._changes.pop(0))
                if event is not None:
                    yield event
            if self._bookmark_due:
                self._bookmark_due = False
                if self._sent_version != self._store.version:
                    yield self._bookmark_event()
            if self._ended:
                return
            if not self._changes and not self._bookmark_due:
                self._woken.clear()
                await self._woken.wait()

    def _wanted(self, obj: Json) -> bool:
        name = self._request.name
        return self._request.chosen(obj) and (not name or obj["metadata"]["name"] == name)

    def _event(self, change: Change) -> Json | None:
        request = self._request
        if not change.key.of_resource(request.resource.group, request.resource.plural, request.namespace):
            return None
        if request.version is not None and change.version <= request.version:
            return None
        was = change.before is not None and self._wanted(change.before)
        now = change.type != "DELETED" and self._wanted(change.after)
        if not was and not now:
            return None
        kind = ("MODIFIED" if now else "DELETED") if was else "ADDED"
        if kind == "DELETED" and change.type != "DELETED" and change.before is not None:
            version = change.after["metadata"]["resourceVersion"]
            last = {**change.before["metadata"], "resourceVersion": version}
            return {"type": kind, "object": {**change.before, "metadata": last}}
        return {"type": kind, "object": change.after}

    def _bookmark_event(self, *, initial: bool = False) -> Json:
        resource = self._request.resource
        self._sent_version = self._store.version
        metadata: Json = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if initial:
            empty: Json = {
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": {},
                "items": None,
            }
            text = json.dumps(empty, separators=(",", ":")) + "\n"
            metadata["annotations"] = {
                "k8s.io/initial-events-end": "true",
                "kubernetes.io/initial-events-list-blueprint": base64.b64encode(text.encode()).decode(),
            }
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return {"type": "BOOKMARK", "object": {**obj, **_EMPTY.get(resource.kind, {})}}


_EMPTY_TEMPLATE: Json = {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}
_EMPTY: dict[str, Json] = {
    "Deployment": {
        "spec": {"replicas": 0, "selector": None, "template": _EMPTY_TEMPLATE, "strategy": {}},
        "status": {},
    },
    "ReplicaSet": {"spec": {"selector": None, "template": _EMPTY_TEMPLATE}, "status": {"replicas": 0}},
    "Pod": {"spec": {"containers": None}, "status": {}},
    "Node": {"spec": {}, "status": {}},
    "Namespace": {"spec": {}, "status": {}},
    "Service": {"spec": {}, "status": {"loadBalancer": {}}},
}
"""What Go encodes of an empty object of these kinds: a bookmark is one."""
