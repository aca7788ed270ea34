"""Looks for pauses that were set without the database, and makes each a pause of the database."""

import asyncio
import socket
from collections.abc import Awaitable, Iterable, Sequence

from remediator.clients.kube_read import KubeReader
from remediator.clients.pause_file import PauseFile
from remediator.domain.switch import Switch
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.memory.watcher import Watcher
from remediator.store import pauses
from remediator.store.database import Database
from remediator.store.pauses import SEEN_SECONDS, PauseRequest
from remediator.workloads.consent import ENABLED, mark
from remediator.workloads.paused import PAUSED, paused

EVERY = 0.5
"""Seconds. Two are promised until what one replica sees stops all of them, and one look may be slow."""


class Switches:
    """One unit of its work is one look at the file, the opted-in namespaces and what the memory saw of workloads.

    Every replica looks. What one sees stops all of them, and goes on to after the switch is taken away: only a
    person ends it. Guards look at the target's own switches by themselves, so that nothing hangs on this loop alone.
    """

    def __init__(
        self,
        database: Database,
        kube: KubeReader,
        file: PauseFile,
        watcher: Watcher,
        namespaces: Sequence[str] = (),
    ) -> None:
        """`namespaces` are those that are looked at; all that have opted in unless they are named."""
        self._database = database
        self._kube = kube
        self._file = file
        self._watcher = watcher
        self._namespaces = namespaces
        self._seen: dict[tuple[str, str], Switch] = {}
        """Not in the database yet."""

    async def tick(self) -> bool:
        """Look once; never finds more to do at once. Raises what it could not read after it told of the rest."""
        looks = await asyncio.gather(*map(_told, (self._of_file(), *self._of_namespaces())))
        unreadable = [each for each in looks if isinstance(each, RemediatorError)]
        for each in looks:
            if not isinstance(each, RemediatorError):
                self._note(each)
        self._note(self._watcher.take_switches())
        await pauses.latch_all(self._database, self._seen.values())
        self._seen.clear()
        for reason in unreadable:
            raise reason
        return False

    async def all_stands_still(self) -> str | None:
        """Why nothing at all may be changed, as a sentence; None when something may."""
        try:
            file = await self._file.read()
        except RemediatorError as reason:
            return f"pause: {reason.sentence}"
        async with self._database.connection() as connection:
            said = [each.sentence for each in await pauses.of_everything(connection)]
        return "; ".join(said) or (None if file is None else file.sentence)

    async def still_set(self, pause: PauseRequest) -> str | None:
        """What has to be taken away before this pause can end, as a sentence; None when nothing has.

        Raises Retryable or Permanent when that cannot be read.
        """
        if pause.source == "annotation":
            return await self._annotated(pause)
        return await self._beside_a_replica(pause) if pause.source == "file" else None

    async def _beside_a_replica(self, pause: PauseRequest) -> str | None:
        """Of the file of another replica is known only when that last saw it."""
        if await self._file.read() is not None:
            return f"{self._file.path} is still there on {socket.gethostname()}: remove it"
        seen = pause.seen_seconds_ago
        if seen is None or seen > SEEN_SECONDS:
            return None
        return f"a replica still saw its pause_file {seen:.0f} s ago: remove it, and wait {SEEN_SECONDS:g} s"

    async def _annotated(self, pause: PauseRequest) -> str | None:
        if pause.scope == "namespace":
            found = await self._kube.namespace(pause.value)
            command = f"kubectl annotate namespace {pause.value} {PAUSED}-"
        else:
            target = Target.parse(pause.value, cluster="")
            found = await self._kube.get(target.kind, target.namespace, target.name)
            command = f"kubectl -n {target.namespace} annotate {target.kind} {target.name} {PAUSED}-"
        if found is None or paused(found, pause.scope, pause.value) is None:
            return None
        return f"{pause.covers} still carries the annotation {PAUSED}: {command}"

    async def _of_file(self) -> list[Switch]:
        switch = await self._file.read()
        return [] if switch is None else [switch]

    def _of_namespaces(self) -> Sequence[Awaitable[list[Switch]]]:
        """A look at each that is named, so that one that cannot be read hides no other; else one at all of them."""
        return [self._of_namespace(each) for each in self._namespaces] or [self._of_opted_in()]

    async def _of_namespace(self, name: str) -> list[Switch]:
        found = await self._kube.namespace(name)
        return _switches([found] if found is not None and mark(found, ENABLED) == "true" else [])

    async def _of_opted_in(self) -> list[Switch]:
        return _switches(await self._kube.namespaces({ENABLED: "true"}))

    def _note(self, switches: list[Switch]) -> None:
        self._seen |= {(each.source, each.value): each for each in switches}


async def _told(look: Awaitable[list[Switch]]) -> list[Switch] | RemediatorError:
    try:
        return await look
    except RemediatorError as reason:
        return reason


def _switches(namespaces: Iterable[JsonObject]) -> list[Switch]:
    found = [paused(each, "namespace", str(each["metadata"]["name"])) for each in namespaces]
    return [each for each in found if each is not None]
