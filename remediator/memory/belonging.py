"""Holds the database against the cluster it is used in: a copy of production, started elsewhere, does nothing."""

import logging

from remediator.clients.kube_read import KubeReader
from remediator.clock import Clock
from remediator.domain.belonging import IDENTITY, Binding
from remediator.errors import RemediatorError
from remediator.store import clusters
from remediator.store.database import Database

_log = logging.getLogger(__name__)

_UID_SECONDS = 30.0
_AGAIN_SECONDS = 5.0
_BINDING_SECONDS = 1.0


class Belonging:
    """Asked by every loop before a unit of its work. What is not known forbids as well what must not be done twice."""

    def __init__(self, database: Database, kube: KubeReader, clock: Clock, name: str) -> None:
        self._database = database
        self._kube = kube
        self._clock = clock
        self._name = name
        self._uid: str | None = None
        self._due = 0.0
        self._binding: Binding | None = None
        self._binding_until = 0.0
        self._unreadable = (
            f"the namespace {IDENTITY}, whose uid tells which cluster this is, has not been read"
        )
        self._told: str | None = None

    async def against(self) -> str | None:
        """Why nothing may be sent or changed, as a sentence: another cluster's database, or one that cannot be told.

        A cluster that was known stays so while its API server does not answer: whoever changes something reads its
        uid anew. The database of a cluster without one is bound to it. Raises the database's errors.
        """
        await self._look()
        if self._uid is None:
            said: str | None = f"it cannot be told whose database this is: {self._unreadable}"
        else:
            said = (await self._bound(self._uid)).against(self._uid)
        if said != self._told:
            if said is not None:
                _log.error("%s", said)
            else:
                _log.warning("this database belongs to the cluster it is used in")
            self._told = said
        return said

    async def foreign(self) -> str | None:
        """The same, but for what only reads and remembers: None also while it cannot be told."""
        said = await self.against()
        return said if self._uid is not None else None

    async def known_foreign(self) -> str | None:
        """The same by what is known so far, without asking the cluster: for the intake, which waits for no cluster.

        Raises the database's errors.
        """
        return None if self._uid is None else (await self._bound(self._uid)).against(self._uid)

    async def _look(self) -> None:
        """Read the uid when it is due. Meanwhile others go on with what is known: a server that hangs holds up one."""
        if self._clock.monotonic() < self._due:
            return
        self._due = self._clock.monotonic() + (_AGAIN_SECONDS if self._uid is None else _UID_SECONDS)
        try:
            found = await self._kube.namespace(IDENTITY)
        except RemediatorError as reason:
            self._unreadable = reason.sentence
            return
        if found is None:
            self._uid, self._unreadable = None, f"there is no namespace {IDENTITY}"
            return
        self._uid = str(found["metadata"]["uid"])
        self._due = self._clock.monotonic() + _UID_SECONDS

    async def _bound(self, uid: str) -> Binding:
        if self._binding is not None and self._clock.monotonic() < self._binding_until:
            return self._binding
        async with self._database.connection() as connection:
            found = await clusters.bound(connection)
        if found is None:
            async with self._database.transaction() as connection:
                found = await clusters.bind_first(connection, uid, self._name)
        self._binding, self._binding_until = found, self._clock.monotonic() + _BINDING_SECONDS
        return found
