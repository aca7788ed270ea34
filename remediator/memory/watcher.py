"""Keeps a picture of the opted-in namespaces by watching them, and writes what changed into the database."""

import asyncio
from datetime import timedelta

from remediator.clock import Clock
from remediator.domain.switch import Switch
from remediator.memory.follower import Cluster
from remediator.memory.picture import Picture
from remediator.memory.written import Written
from remediator.store import loop_leases, tenures
from remediator.store.database import Database
from remediator.workloads.consent import ENABLED

UNSEEN_AFTER = 4.0
"""So many missed looks break a stretch of availability: what was not seen does not count."""

_AT_ONCE = 8
"""So many lists and watches are asked for at the same time."""


class Watcher:
    """One unit of its work is one look at everything; one replica at a time does it.

    Watches bring what changes between two looks. A look opens those that have ended, and by the time the
    namespaces have been read after that, what the watches had to tell has come.
    """

    def __init__(
        self,
        database: Database,
        cluster: Cluster,
        clock: Clock,
        owner: str,
        namespaces: tuple[str, ...],
        every: timedelta,
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._clock = clock
        self._owner = owner
        self._namespaces = namespaces
        self._every = every.total_seconds()
        self._unseen_after = self._every * UNSEEN_AFTER
        self._pictures: dict[str, Picture] = {}
        self._written = Written(clock, cluster.name, self._unseen_after)

    async def tick(self) -> bool:
        """Look once; never finds more to do at once."""
        if not await self._is_ours():
            await self.close()
            return False
        await self._follow()
        await self._take_up(await self.opted_in())
        # Once more: those of new namespaces, and those that had to go on from too long ago.
        await self._follow()
        await self._write()
        return False

    def take_switches(self) -> list[Switch]:
        """Every workload that was seen annotated as paused since this was last asked."""
        return [switch for picture in self._pictures.values() for switch in picture.take_switches()]

    async def close(self) -> None:
        """Close every watch. The next look begins anew."""
        pictures, self._pictures = self._pictures, {}
        self._written.forget_all()
        for picture in pictures.values():
            await picture.close()

    async def _is_ours(self) -> bool:
        async with self._database.connection() as connection:
            return await loop_leases.hold(connection, "memory", self._owner, self._every * 3)

    async def _follow(self) -> None:
        at_once = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(picture.follow(at_once) for picture in self._pictures.values()))

    async def opted_in(self) -> set[str]:
        """The namespaces to look at, as they are labelled now. Raises Retryable or Permanent."""
        if not self._namespaces:
            found = await self._cluster.kube.namespaces({ENABLED: "true"})
            return {each["metadata"]["name"] for each in found}
        names = set()
        for name in self._namespaces:
            namespace = await self._cluster.kube.namespace(name)
            if namespace is not None and (namespace["metadata"].get("labels") or {}).get(ENABLED) == "true":
                names.add(name)
        return names

    async def _take_up(self, opted_in: set[str]) -> None:
        """Begin pictures of namespaces that are new; drop those of namespaces that have opted out."""
        for name in set(self._pictures) - opted_in:
            await self._pictures.pop(name).close()
            self._written.forget(name)
        for name in opted_in - set(self._pictures):
            self._pictures[name] = Picture(self._cluster, self._clock, name)

    async def _write(self) -> None:
        # Opening the watches may have taken longer than the lease.
        if not await self._is_ours():
            await self.close()
            return
        sightings = [seen for picture in self._pictures.values() for seen in await picture.sightings()]
        async with self._database.transaction() as connection:
            await tenures.see(connection, sightings, self._unseen_after)
            await self._written.bring_up_to_date(connection, self._pictures)
