"""Where objects are kept: one counter of versions for everything, and a history for watches and old lists."""

import random
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from remediator.sandbox.kubernetes.status import Json

FIRST_VERSION = 1000
"""The version of an empty store: a real cluster has written a lot before its first user comes."""

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, order=True)
class Key:
    """What names one object: group and plural of its resource, namespace ("" without one), name."""

    group: str
    plural: str
    namespace: str
    name: str

    def of_resource(self, group: str, plural: str, namespace: str = "") -> bool:
        """Whether it belongs to that resource, and to that namespace unless it is ""."""
        return (
            self.plural == plural and self.group == group and (not namespace or self.namespace == namespace)
        )


@dataclass(frozen=True)
class Change:
    """One write: `after` is the object as it is now, or, of a deletion, as it last was with the new version."""

    version: int
    type: str
    key: Key
    before: Json | None
    after: Json


Listener = Callable[[Change], None]


class Store:
    """Objects by key. Objects handed out are never changed in place: writers put in a new one."""

    def __init__(self, seed: int = 0, history: int = 20_000) -> None:
        self.version = FIRST_VERSION
        self._objects: dict[Key, Json] = {}
        self._of_resource: dict[tuple[str, str], dict[str, set[Key]]] = {}
        """The same keys by resource and namespace: controllers list all the time."""
        self._history: deque[Change] = deque()
        self._history_limit = history
        self._forgotten = FIRST_VERSION
        self.oldest_list = FIRST_VERSION
        """The oldest version a list may ask for."""
        self._listeners: list[Listener] = []
        self._random = random.Random(seed)

    @property
    def oldest(self) -> int:
        """The oldest version a watch may start from."""
        return self._forgotten

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every change, in order."""
        self._listeners.append(listener)

    def silence(self, listener: Listener) -> None:
        """Stop calling it."""
        self._listeners.remove(listener)

    def new_uid(self) -> str:
        """A uid no object has had; the same seed gives the same sequence."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_suffix(self, length: int = 5) -> str:
        """The random end of a generated name."""
        return "".join(self._random.choice(_SUFFIX_LETTERS) for _ in range(length))

    def get(self, key: Key) -> Json | None:
        """The object, or None."""
        return self._objects.get(key)

    def keys(self, group: str, plural: str, namespace: str = "") -> list[Key]:
        """The keys of a resource, by namespace and name."""
        found = self._of_resource.get((group, plural), {})
        return sorted(found.get(namespace, ()) if namespace else chain.from_iterable(found.values()))

    def objects(self, group: str, plural: str, namespace: str = "") -> list[Json]:
        """The objects of a resource, by namespace and name."""
        return [self._objects[key] for key in self.keys(group, plural, namespace)]

    def all(self) -> Iterator[tuple[Key, Json]]:
        """Every object there is."""
        yield from list(self._objects.items())

    def put(self, key: Key, after: Json) -> Json:
        """Store a new state; it gets the next resourceVersion. Returns what was stored."""
        before = self._objects.get(key)
        return self._record("MODIFIED" if before is not None else "ADDED", key, before, after)

    def remove(self, key: Key, last: Json) -> Json:
        """Delete the object whose last state is `last`. Returns that state with the version of the deletion."""
        return self._record("DELETED", key, self._objects[key], last)

    def since(self, version: int) -> list[Change]:
        """The changes after `version`, oldest first; the caller checks `oldest` before."""
        return [change for change in self._history if change.version > version]

    def at(self, version: int, group: str, plural: str, namespace: str = "") -> list[Json]:
        """The objects of a resource as they were at `version`, which is not older than `oldest`."""
        world = {key: self._objects[key] for key in self.keys(group, plural, namespace)}
        for change in reversed(self._history):
            if change.version <= version:
                break
            if not change.key.of_resource(group, plural, namespace):
                continue
            if change.before is None:
                world.pop(change.key, None)
            else:
                world[change.key] = change.before
        return [world[key] for key in sorted(world)]

    def write_elsewhere(self) -> None:
        """A version goes to something that is not kept here."""
        self.version += 1

    def compact(self, *, watches: bool) -> None:
        """Forget how it was before now, as etcd's compaction does; `watches`: the watch cache is lost, too."""
        self.oldest_list = self.version
        if watches:
            self._history.clear()
            self._forgotten = self.version

    def _record(self, kind: str, key: Key, before: Json | None, after: Json) -> Json:
        self.version += 1
        stored = {**after, "metadata": {**after["metadata"], "resourceVersion": str(self.version)}}
        beside = self._of_resource.setdefault((key.group, key.plural), {}).setdefault(key.namespace, set())
        if kind == "DELETED":
            del self._objects[key]
            beside.discard(key)
        else:
            self._objects[key] = stored
            beside.add(key)
        change = Change(self.version, kind, key, before, stored)
        self._history.append(change)
        if len(self._history) > self._history_limit:
            self._forgotten = self._history.popleft().version
            self.oldest_list = max(self.oldest_list, self._forgotten)
        for listener in list(self._listeners):
            listener(change)
        return stored
