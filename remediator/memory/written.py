"""What the database has been told of pods, ConfigMaps and replica counts, so that it is told only what changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from remediator.clock import Clock
from remediator.fault_points import FaultPoint, reach
from remediator.memory.picture import Picture
from remediator.store import config_hashes, pod_owners, replica_counts
from remediator.store.database import Connection
from remediator.store.pod_owners import OwnedPod
from remediator.store.replica_counts import Wanted

_AGAIN_AFTER = 300.0
"""Seconds after which what is still there is written again, for the time it was last seen."""

_LATE = 2 * _AGAIN_AFTER
"""Seconds after which what was not written again was not seen, however often somebody looks."""

_FORGET_EVERY = 3600.0
_FORGOTTEN_AT_ONCE = 1000


@dataclass(slots=True)
class _Namespace:
    at: float
    """When everything was last written, by the monotonic clock."""
    pods: dict[str, OwnedPod] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    wanted: frozenset[Wanted] = frozenset()


class Written:
    """Writes the difference between a picture and what was written of it."""

    def __init__(self, clock: Clock, cluster: str, unseen_after: float) -> None:
        """`unseen_after` is how many seconds may pass between two looks."""
        self._unseen_after = max(unseen_after, _LATE)
        self._clock = clock
        self._cluster = cluster
        self._namespaces: dict[str, _Namespace] = {}
        self._forget_due = 0.0

    def forget(self, namespace: str) -> None:
        """The namespace is no longer looked at."""
        self._namespaces.pop(namespace, None)

    def forget_all(self) -> None:
        """Somebody else writes now: what the database knows is not known here."""
        self._namespaces.clear()

    async def bring_up_to_date(self, connection: Connection, pictures: Mapping[str, Picture]) -> None:
        """Write what changed; call within a transaction. After it has failed everything is written again."""
        before, self._namespaces = self._namespaces, {}
        after = {}
        for name, picture in pictures.items():
            after[name] = await self._write(connection, name, picture, before.get(name))
        await self._forget_the_old(connection)
        self._namespaces = after

    async def _write(
        self, connection: Connection, namespace: str, picture: Picture, known: _Namespace | None
    ) -> _Namespace:
        now = self._clock.monotonic()
        if known is None or now - known.at >= _AGAIN_AFTER:
            known = _Namespace(now)
        pods, hashes = picture.owned_pods(), picture.config_hashes()
        changed = [pod for name, pod in pods.items() if known.pods.get(name) != pod]
        if changed:
            await pod_owners.remember(connection, self._cluster, namespace, changed)
        wanted = frozenset(picture.wanted())
        if numbers := wanted - known.wanted:
            await replica_counts.remember(connection, self._cluster, namespace, numbers, self._unseen_after)
        known = replace(known, pods=pods, wanted=wanted)
        if hashes is None:
            return known
        if others := {name: each for name, each in hashes.items() if known.hashes.get(name) != each}:
            await config_hashes.remember(connection, self._cluster, namespace, others)
        if known.at == now or known.hashes.keys() - hashes.keys():
            await config_hashes.end_others(connection, self._cluster, namespace, hashes)
        return replace(known, hashes=hashes)

    async def _forget_the_old(self, connection: Connection) -> None:
        now = self._clock.monotonic()
        if now < self._forget_due:
            return
        forgotten = await pod_owners.forget(connection, _FORGOTTEN_AT_ONCE)
        forgotten = max(forgotten, await config_hashes.forget(connection, _FORGOTTEN_AT_ONCE))
        forgotten = max(forgotten, await replica_counts.forget(connection, _FORGOTTEN_AT_ONCE))
        reach(FaultPoint.J37)
        if forgotten < _FORGOTTEN_AT_ONCE:  # else there is more: the next look goes on
            self._forget_due = now + _FORGET_EVERY
