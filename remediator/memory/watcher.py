"""Looks at every workload of the opted-in namespaces and extends what we remember of it."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from remediator.clients.kube_read import KubeReader
from remediator.domain.change import revision_hash
from remediator.domain.target import KINDS, Target
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.store import loop_leases, tenures
from remediator.store.database import Database
from remediator.store.tenures import Sighting
from remediator.workloads.consent import ENABLED
from remediator.workloads.revision_objects import KEPT_IN
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began
from remediator.workloads.rollout_status import fully_available

_log = logging.getLogger(__name__)

_UNSEEN_AFTER = 4.0
"""So many missed looks break a stretch of availability: what was not seen does not count."""


class Watcher:
    """One unit of its work is one look at everything; one replica at a time does it."""

    def __init__(
        self,
        database: Database,
        kube: KubeReader,
        owner: str,
        cluster: str,
        namespaces: tuple[str, ...],
        every: timedelta,
    ) -> None:
        self._database = database
        self._kube = kube
        self._owner = owner
        self._cluster = cluster
        self._namespaces = namespaces
        self._every = every.total_seconds()

    async def tick(self) -> bool:
        """Look once; never finds more to do at once."""
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "memory", self._owner, self._every * 3):
                return False
        for namespace in await self._opted_in():
            await self._remember(namespace)
        return False

    async def _opted_in(self) -> list[str]:
        if not self._namespaces:
            found = await self._kube.namespaces({ENABLED: "true"})
            return [each["metadata"]["name"] for each in found]
        names = []
        for name in self._namespaces:
            namespace = await self._kube.namespace(name)
            if namespace is not None and (namespace["metadata"].get("labels") or {}).get(ENABLED) == "true":
                names.append(name)
        return names

    async def _remember(self, namespace: str) -> None:
        try:
            listed = {
                kind: await self._kube.list(kind, namespace) for kind in (*KINDS, *set(KEPT_IN.values()))
            }
        except Permanent as reason:
            _log.warning("namespace %s is not remembered: %s", namespace, reason.sentence)
            return
        for kind in KINDS:
            for workload in listed[kind]:
                seen = self._sighting(kind, workload, listed[KEPT_IN[kind]])
                if seen is not None:
                    async with self._database.transaction() as connection:
                        await tenures.end_others(connection, seen.target, seen.uid)
                        await tenures.remember(connection, seen, self._every * _UNSEEN_AFTER)

    def _sighting(
        self, kind: str, workload: JsonObject, revision_objects: Iterable[JsonObject]
    ) -> Sighting | None:
        """What this look tells of one workload; None until its controller has made a revision."""
        metadata = workload["metadata"]
        revisions = revisions_of(workload, revision_objects)
        current = current_revision(workload, revisions)
        if current is None:
            return None
        template: JsonObject = workload["spec"]["template"]
        return Sighting(
            target=Target(
                cluster=self._cluster, kind=kind, namespace=metadata["namespace"], name=metadata["name"]
            ),
            uid=metadata["uid"],
            revision=revision_hash(template),
            template=template,
            began_at=rollout_began(current, revisions),
            available=fully_available(workload),
        )
