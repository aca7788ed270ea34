"""Compares what a watch showed with what one showed of a real cluster.

How many MODIFIED events the controllers make is not fixed: compared is, object by object, what became of it.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from typing import Any

import aiohttp

from tests.sandbox.kubernetes_client import Json
from tests.sandbox.kubernetes_equivalence import Names, differences

State = tuple[Any, ...]
_MOVED_BY_CONTROLLERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Pod")
_COUNTED = {
    "StatefulSet": (
        "observedGeneration",
        "replicas",
        "readyReplicas",
        "availableReplicas",
        "currentReplicas",
        "updatedReplicas",
    ),
    "DaemonSet": (
        "observedGeneration",
        "desiredNumberScheduled",
        "numberReady",
        "numberAvailable",
        "numberUnavailable",
    ),
}
"""What is compared of a status; a DaemonSet's current and updated pods are seen now before and now after their
replacement."""


class OpenWatch:
    """A watch that is read in the background."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.events: list[Json] = []
        self._response = response
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def begin(cls, session: aiohttp.ClientSession, url: str, request: Json) -> "OpenWatch":
        """Open it; the stream has begun when this returns."""
        url += request["path"]
        response = await session.get(url, params=request["query"], headers=request["headers"])
        return cls(response)

    async def _read(self) -> None:
        async for line in self._response.content:
            self.events.append(json.loads(line))

    async def close(self) -> None:
        """End it as a client does."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._response.close()


def watch_differences(recorded: list[Json], seen: list[Json], names: Names) -> Iterator[str]:
    """Objects whose states do not follow each other as recorded; events of what no controller moves, one by one."""
    if not any(event["object"]["kind"] in _MOVED_BY_CONTROLLERS for event in recorded):
        tried = names.copy()
        found = list(differences(recorded, seen, tried))
        if not found:
            names.become(tried)
        yield from found
        return
    there, here = _states_by_name(recorded), _states_by_name(seen)
    for name in there:
        for other in (other for other in here if there[name] == here[other]):
            tried = names.copy()
            if not list(differences(name, other, tried)):
                names.become(tried)
                break
    there = {names.translate(name): states for name, states in there.items()}
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            yield f"{name}: recorded {there.get(name)}, seen {here.get(name)}"


def _states_by_name(events: list[Json]) -> dict[str, list[State]]:
    found: dict[str, list[State]] = defaultdict(list)
    for event in events:
        if event["type"] in ("BOOKMARK", "ERROR"):
            found[event["type"]].append((event["object"].get("reason"), event["object"].get("code")))
        else:
            obj = event["object"]
            found[obj.get("metadata", {}).get("name", obj["kind"])].append((event["type"], *_state(obj)))
    return {name: [state for state, _ in groupby(states)] for name, states in found.items()}


def _state(obj: Json) -> State:
    status = obj.get("status") or {}
    if obj["kind"] == "Deployment":
        conditions = {entry["type"]: entry for entry in status.get("conditions", [])}
        progressing, available = conditions.get("Progressing", {}), conditions.get("Available", {})
        return obj["metadata"]["generation"], progressing.get("reason"), available.get("status")
    if obj["kind"] == "ReplicaSet":
        return obj["spec"]["replicas"], obj["metadata"]["annotations"].get(
            "deployment.kubernetes.io/revision"
        )
    if obj["kind"] == "Pod":
        states = tuple(_container_state(entry["state"]) for entry in status.get("containerStatuses", []))
        return status["phase"], states, "deletionTimestamp" in obj["metadata"]
    if obj["kind"] in _COUNTED:
        counts = tuple(status.get(name, 0) for name in _COUNTED[obj["kind"]])
        settled = status.get("currentRevision") == status.get("updateRevision")
        return obj["metadata"]["generation"], *counts, settled
    return ()


def _container_state(state: Json) -> str:
    name, inside = next(iter(state.items()))
    return f"{name} {inside.get('reason', '')}".strip()
