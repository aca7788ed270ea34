"""Watching Kubernetes: every change to one kind of objects since a list, until the watch ends.

The library's own watch is not used: it repeats a watch that is closed at once as fast as it can (1,018
requests in a second were seen), hands out a proxy's error page as an event, and waits for ever for a
server that has gone silent.
"""

from collections.abc import AsyncGenerator
from json import dumps
from typing import Any, Literal, NamedTuple, TypeGuard

from remediator.clients.http import HttpAnswer, OpenAnswer, json_document
from remediator.clients.kube_answer import refuse
from remediator.clients.kube_connection import KubeConnection
from remediator.clients.kube_read import METADATA_ONLY
from remediator.clients.kube_resource import resource
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable

LASTS = 60
"""Seconds after which the API server ends a watch. Short, because only the end of a watch, an event or a
bookmark (about one a minute, none where nothing changed) tells that the other side is still there.
"""

_MARGIN = 10.0
"""Seconds beyond `LASTS` in which a watch must have said something or ended."""

_LARGEST_REFUSAL = 2**20
_LARGEST_LINE = 8 * 2**20
"""Bytes of one event. etcd takes 1.5 MiB an object, which JSON makes longer."""

What = Literal["added", "modified", "deleted", "bookmark"]


class WatchEvent(NamedTuple):
    """One line of a watch."""

    what: What
    object: JsonObject
    """As it is now, or was last before it was deleted; of a bookmark nothing but the version counts."""

    @property
    def version(self) -> str:
        """The resourceVersion from which another watch goes on after this event."""
        return str(self.object["metadata"]["resourceVersion"])


class KubeWatcher:
    """Opens watches."""

    def __init__(
        self, connection: KubeConnection, *, deadline: float = 10.0, silence: float = LASTS + _MARGIN
    ) -> None:
        """`deadline` (seconds) is for opening; a watch silent for `silence` seconds is given up."""
        self._connection = connection
        self._deadline = deadline
        self._silence = silence

    async def watch(self, kind: str, namespace: str, version: str, *, metadata_only: bool = False) -> "Watch":
        """Open a watch on all objects of a kind in a namespace, from a list's version or an event's.

        Raises Expired when that version is too long ago, Permanent when rights are missing, Retryable for
        what may pass. A version the server has not reached yet (its database was restored) is not refused:
        such a watch only ever says nothing.
        """
        what = resource(kind)
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(LASTS),
        }
        headers = {"Accept": METADATA_ONLY.format("")} if metadata_only else {}
        path = what.path(namespace)
        answer = await self._connection.open(path, query=query, headers=headers, deadline=self._deadline)
        watch = Watch(answer, what.plural, namespace, self._silence)
        if answer.status != 200:
            await watch.refused(self._deadline)
        return watch


class Watch:
    """One open watch. Whoever has it closes it; `events` does so when it ends, however that comes."""

    def __init__(self, answer: OpenAnswer, plural: str, namespace: str, silence: float) -> None:
        self._answer = answer
        self._plural = plural
        self._namespace = namespace
        self._silence = silence

    async def events(self) -> AsyncGenerator[WatchEvent]:
        """Every change in order. The end means that the server ended the watch as it was asked to.

        Raises Expired when the watch began too long ago, and Retryable for everything that cuts it off:
        a lost connection, silence, a line that is no event.
        """
        try:
            async for line in self._lines():
                yield self._event(line)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._answer.close()

    async def refused(self, deadline: float) -> None:
        """Raise what an answer other than 200 means."""
        try:
            answer = await self._answer.whole(_LARGEST_REFUSAL, deadline)
        finally:
            self.close()
        refuse(answer, "watch", self._plural, self._namespace)
        raise Retryable(f"Kubernetes answered {answer.status} to watch {self._plural}, which is not a watch")

    async def _lines(self) -> AsyncGenerator[bytes]:
        waiting = bytearray()
        while piece := await self._answer.piece(self._silence):
            begun = len(waiting)
            waiting += piece
            if b"\n" in piece:
                end = waiting.rindex(b"\n", begun)
                lines, waiting = bytes(waiting[:end]), waiting[end + 1 :]
                for line in lines.split(b"\n"):
                    yield line
            if len(waiting) > _LARGEST_LINE:
                raise Permanent(f"one event of {self._where} is larger than {_LARGEST_LINE} bytes")
        if waiting:
            raise Retryable(f"the watch of {self._where} ended in the middle of an event")

    def _event(self, line: bytes) -> WatchEvent:
        event = json_document(line)
        what, changed = (event.get("type"), event.get("object")) if isinstance(event, dict) else (None, None)
        if what == "ERROR" and isinstance(changed, dict):
            self._told_of(changed)
        known = _KNOWN.get(what) if isinstance(what, str) else None
        if known is None or not _has_version(changed):
            excerpt = line[:200].decode("utf-8", "replace")
            raise Retryable(f"the watch of {self._where} sent something that is no event: {excerpt}")
        return WatchEvent(known, changed)

    def _told_of(self, status: JsonObject) -> None:
        """Raise what an ERROR event means: the same as that status for the whole request."""
        code = status.get("code")
        answer = HttpAnswer(code if isinstance(code, int) else 500, {}, dumps(status).encode())
        refuse(answer, "watch", self._plural, self._namespace)

    @property
    def _where(self) -> str:
        return f"{self._plural} in namespace {self._namespace}"


_KNOWN: dict[str, What] = {
    "ADDED": "added",
    "MODIFIED": "modified",
    "DELETED": "deleted",
    "BOOKMARK": "bookmark",
}


def _has_version(changed: Any) -> TypeGuard[JsonObject]:
    metadata = changed.get("metadata") if isinstance(changed, dict) else None
    return isinstance(metadata, dict) and bool(metadata.get("resourceVersion"))
