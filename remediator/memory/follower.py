"""Follows one kind of objects in one namespace: a list, then a watch from there, again and again."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

from remediator.clients.kube_answer import Expired
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_watch import LASTS, KubeWatcher, Watch
from remediator.clock import Clock
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, RemediatorError, Retryable

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = {Retryable: 30.0, Permanent: 300.0}
"""Seconds. What somebody has to grant first is asked for less often than a server that may be back."""

Kept = TypeVar("Kept")

ODD = (ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What an object raises that is not as the API describes it. One such object is passed over, the others are seen."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster is looked at, and through what."""

    name: str
    kube: KubeReader
    watcher: KubeWatcher


class Follower(Generic[Kept]):
    """What is there now, of each object only what `keep` makes of it.

    It starts nothing by itself: whoever looks calls `follow` first, so that a server which ends every
    watch at once is asked once a look, and less often the longer it does.
    """

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        kind: str,
        namespace: str,
        keep: Callable[[JsonObject], Kept],
        *,
        metadata_only: bool = False,
    ) -> None:
        self.objects: dict[str, Kept] = {}
        """By name. What is there, as long as `is_current`."""
        self._kube = cluster.kube
        self._watcher = cluster.watcher
        self._clock = clock
        self._kind = kind
        self._namespace = namespace
        self._keep = keep
        self._metadata_only = metadata_only
        self._version = ""
        """Where the next watch goes on from; empty when a new list is needed."""
        self._reading: asyncio.Task[None] | None = None
        self._opened_at = 0.0
        self._heard = False
        self._failures = 0
        self._due = 0.0
        self._why_not = ""

    @property
    def is_current(self) -> bool:
        """Whether a watch is open and tells of every change of `objects`."""
        return self._reading is not None and not self._reading.done()

    async def follow(self) -> None:
        """Open a watch if none is open: from where the last one ended, else from a new list.

        After failures only when a growing pause is over. What the cluster refuses is logged, not raised.
        """
        if self.is_current:
            return
        try:
            self._see_how_it_ended()
            if self._clock.monotonic() < self._due:
                return
            if not self._version:
                await self._list()
            self._read_from(await self._open())
        except Expired as reason:
            _log.debug("%s: %s", self, reason.sentence)
            self._version = ""
        except (Retryable, Permanent) as reason:
            self._failed(reason)

    async def close(self) -> None:
        """Close the watch, if one is open."""
        reading, self._reading, self._version = self._reading, None, ""
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def __str__(self) -> str:
        return f"watch of every {self._kind} in namespace {self._namespace}"

    def _see_how_it_ended(self) -> None:
        """A watch that ended as it should is gone on with; after anything else a new list is needed.

        Also after one that said nothing at all: it may have begun from a version that the server, restored
        from a backup, has not reached yet. Raises what the watch failed with.
        """
        reading, self._reading = self._reading, None
        if reading is None:
            return
        if self._heard:
            self._failures = 0
        if not self._heard:
            self._version = ""
        try:
            reading.result()
        except Expired:
            self._version = ""
            return
        if not self._heard and self._clock.monotonic() - self._opened_at < LASTS / 2:
            raise Retryable(f"the {self} was ended at once")

    async def _list(self) -> None:
        listing = await self._kube.listing(self._kind, self._namespace, metadata_only=self._metadata_only)
        self.objects = {}
        for each in listing.objects:
            self._put(each)
        self._version = listing.version

    async def _open(self) -> Watch:
        return await self._watcher.watch(
            self._kind, self._namespace, self._version, metadata_only=self._metadata_only
        )

    def _read_from(self, watch: Watch) -> None:
        self._heard = False
        self._opened_at = self._clock.monotonic()
        if self._why_not:
            _log.info("the %s is open again", self)
            self._why_not = ""
        self._reading = asyncio.get_running_loop().create_task(self._read(watch), name=str(self))
        # A task that is cancelled before its first turn never gets to close anything.
        self._reading.add_done_callback(lambda _: watch.close())

    async def _read(self, watch: Watch) -> None:
        async with aclosing(watch.events()) as events:
            async for event in events:
                self._heard = True
                if event.what == "deleted":
                    self.objects.pop(event.object["metadata"]["name"], None)
                elif event.what != "bookmark":
                    self._put(event.object)
                self._version = event.version

    def _put(self, obj: JsonObject) -> None:
        """Keep it; an object nothing can be made of is as one that is not there, and is no other's business."""
        name = obj["metadata"]["name"]
        try:
            self.objects[name] = self._keep(obj)
        except ODD as reason:
            self.objects.pop(name, None)
            _log.warning("%s %s cannot be understood: %r", self._kind, name, reason)

    def _failed(self, reason: RemediatorError) -> None:
        self._version = ""
        self._failures += 1
        longest = _LONGEST_PAUSE[Permanent if isinstance(reason, Permanent) else Retryable]
        asked_for = reason.retry_after if isinstance(reason, Retryable) else None
        pause = min(longest, 2.0 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
        self._due = self._clock.monotonic() + max(pause, asked_for or 0.0)
        if reason.sentence != self._why_not:
            self._why_not = reason.sentence
            _log.warning("what changes is not seen: %s", reason.sentence)
