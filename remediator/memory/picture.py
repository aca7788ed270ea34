"""What one namespace looks like now: its workloads, whose its pods are, what its ConfigMaps hold."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps, loads

from remediator.clock import Clock
from remediator.domain.change import RESTARTED_AT, revision_hash
from remediator.domain.switch import Switch
from remediator.domain.target import KINDS, Target
from remediator.domain.value import JsonObject, digest
from remediator.memory.follower import ODD, Cluster, Follower
from remediator.store.pod_owners import OwnedPod
from remediator.store.replica_counts import Wanted
from remediator.store.tenures import Sighting
from remediator.workloads.config_maps import content_hash
from remediator.workloads.fields import count, objects, text
from remediator.workloads.paused import paused
from remediator.workloads.revision_objects import KEPT_IN
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began
from remediator.workloads.rollout_numbers import rollout_numbers
from remediator.workloads.rollout_status import fully_available

_log = logging.getLogger(__name__)

_WHOLE = (*KINDS, *dict.fromkeys(KEPT_IN.values()))
FOLLOWED = (*_WHOLE, "pod", "configmap")
"""Every kind that is listed and watched."""


@dataclass(frozen=True, slots=True)
class Owner:
    """What controls an object."""

    kind: str
    """In lower case."""
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it is kept: its text is a fifth of what it takes as a dictionary."""

    version: str
    uid: str
    owner: Owner | None
    json: bytes
    """Without managedFields. Empty where only whose it is matters."""


class Picture:
    """One namespace, kept up to date by watches."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str) -> None:
        self._cluster = cluster.name
        self._namespace = namespace
        self._down: set[str] = set()
        """uids of workloads that were seen with no pod available since the last look."""
        self._whole = {kind: Follower(cluster, clock, kind, namespace, self._kept) for kind in _WHOLE}
        self._pods = Follower(cluster, clock, "pod", namespace, _owned, metadata_only=True)
        self._config_maps = Follower(cluster, clock, "configmap", namespace, content_hash)
        self._switches: dict[str, Switch] = {}
        """Of workloads that were seen annotated as paused since somebody last took them."""
        self._judged: dict[tuple[str, str], tuple[object, Sighting | None]] = {}

    async def follow(self, at_once: asyncio.Semaphore) -> None:
        """Open every watch that is not open; no more of them at a time than `at_once` lets through."""

        async def one(follower: Follower[Seen] | Follower[str]) -> None:
            async with at_once:
                await follower.follow()

        await asyncio.gather(*map(one, self._followers()))

    async def close(self) -> None:
        """Close every watch."""
        for follower in self._followers():
            await follower.close()

    async def sightings(self) -> list[Sighting]:
        """What this look tells of every workload whose kind is seen as it is now.

        Judged anew is only what changed. At the first look this is everything: others get their turn between.
        """
        judged: dict[tuple[str, str], tuple[object, Sighting | None]] = {}
        for kind in KINDS:
            workloads, revisions = self._whole[kind], self._whole[KEPT_IN[kind]]
            if not workloads.is_current or not revisions.is_current:
                continue
            owned = _by_owner(revisions.objects)
            for name, workload in list(workloads.objects.items()):
                made = owned.get(workload.uid, [])
                facts = (workload.version, *((each.uid, each.version) for each in made))
                known = self._judged.get((kind, name))
                if known is None or known[0] != facts:
                    known = facts, self._understood(kind, name, workload, made)
                    await asyncio.sleep(0)
                judged[kind, name] = known
        self._judged = judged
        told = [seen for _, seen in judged.values() if seen is not None]
        down = {each.uid for each in told} & self._down
        # What is not told of at this look, because its watch is broken, is remembered for the next.
        self._down = (self._down - down) & {each.uid for kind in KINDS for each in self._of(kind)}
        return [each.model_copy(update={"available": False}) if each.uid in down else each for each in told]

    def wanted(self) -> list[Wanted]:
        """How many replicas every workload wants that the last look told of."""
        return [
            Wanted(kind=kind, name=name, uid=seen.uid, replicas=seen.replicas)
            for (kind, name), (_, seen) in self._judged.items()
            if seen is not None and seen.replicas is not None
        ]

    def take_switches(self) -> list[Switch]:
        """Every workload that was seen annotated as paused since this was last asked."""
        taken, self._switches = list(self._switches.values()), {}
        return taken

    def owned_pods(self) -> dict[str, OwnedPod]:
        """Every pod with a known owner, by name. A ReplicaSet not seen yet says nothing about its owner."""
        found = {}
        for name, pod in self._pods.objects.items() if self._pods.is_current else ():
            owner = self._topmost(pod.owner)
            if owner is not None:
                found[name] = OwnedPod(
                    pod=name, pod_uid=pod.uid, kind=owner.kind, name=owner.name, uid=owner.uid
                )
        return found

    def config_hashes(self) -> dict[str, str] | None:
        """What every ConfigMap holds, by name; None when it is not seen as it is now."""
        return dict(self._config_maps.objects) if self._config_maps.is_current else None

    def _of(self, kind: str) -> Iterable[Seen]:
        return self._whole[kind].objects.values()

    def _kept(self, obj: JsonObject) -> Seen:
        """As it is kept; that all of it was down for a moment must not be lost between two looks."""
        numbers = rollout_numbers(obj)
        if numbers is not None and numbers.available == 0 < numbers.desired:
            self._down.add(text(obj, "metadata", "uid"))
        where = f"{text(obj, 'kind').lower()}/{self._namespace}/{text(obj, 'metadata', 'name')}"
        switch = paused(obj, "target", where)
        # A controller copies its workload's annotations to ReplicaSets: these are nobody's word.
        if switch is not None and text(obj, "kind").lower() in KINDS:
            self._switches[where] = switch
        return _seen(obj)

    def _followers(self) -> Iterator[Follower[Seen] | Follower[str]]:
        yield from self._whole.values()
        yield self._pods
        yield self._config_maps

    def _topmost(self, owner: Owner | None) -> Owner | None:
        if owner is None or owner.kind != "replicaset":
            return owner
        replica_set = self._whole["replicaset"].objects.get(owner.name)
        if replica_set is None or replica_set.uid != owner.uid:
            return None
        return replica_set.owner or owner

    def _understood(self, kind: str, name: str, seen: Seen, made: Iterable[Seen]) -> Sighting | None:
        try:
            return self._sighting(kind, seen, made)
        except ODD as reason:
            _log.warning("%s %s in %s cannot be understood: %r", kind, name, self._namespace, reason)
            return None

    def _sighting(self, kind: str, seen: Seen, made: Iterable[Seen]) -> Sighting | None:
        """What this look tells of one workload; None until its controller has made its revision."""
        workload: JsonObject = loads(seen.json)
        revisions = revisions_of(workload, [loads(each.json) for each in made])
        current = current_revision(workload, revisions)
        if current is None:
            return None
        template: JsonObject = workload["spec"]["template"]
        name = workload["metadata"]["name"]
        return Sighting(
            target=Target(cluster=self._cluster, kind=kind, namespace=self._namespace, name=name),
            uid=seen.uid,
            revision=revision_hash(template),
            template=template,
            began_at=rollout_began(current, revisions),
            available=fully_available(workload),
            restart_stamp=_restart_stamp(template),
            replicas=count(workload, "spec", "replicas"),
        )


def _restart_stamp(template: JsonObject) -> str:
    """Tells one restart from the next; a hash, because an annotation may hold anything."""
    stamp = text(template, "metadata", "annotations", RESTARTED_AT)
    return digest([stamp])[:16] if stamp else ""


def _by_owner(revisions: Mapping[str, Seen]) -> dict[str, list[Seen]]:
    owned = defaultdict(list)
    for each in revisions.values():
        if each.owner is not None:
            owned[each.owner.uid].append(each)
    return owned


def _seen(obj: JsonObject) -> Seen:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return _owned(obj, dumps({**obj, "metadata": metadata}, separators=(",", ":")).encode())


def _owned(obj: JsonObject, json: bytes = b"") -> Seen:
    return Seen(
        version=text(obj, "metadata", "resourceVersion"),
        uid=text(obj, "metadata", "uid"),
        owner=next(
            (
                Owner(text(each, "kind").lower(), text(each, "name"), text(each, "uid"))
                for each in objects(obj, "metadata", "ownerReferences")
                if each.get("controller") is True
            ),
            None,
        ),
        json=json,
    )
