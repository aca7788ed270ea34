"""Replays a recording of a real API server against the emulator and says where the answers differ."""

import io
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from remediator.sandbox.kubernetes import Emulator
from tests.sandbox.kubernetes_client import Answered, Json
from tests.sandbox.kubernetes_cluster import LAG, headers_of
from tests.sandbox.kubernetes_equivalence import Names, differences
from tests.sandbox.kubernetes_exchange import answer_differences, with_versions
from tests.sandbox.kubernetes_watches import OpenWatch, watch_differences

STEP = 0.02
"""Seconds the clock is moved between two looks for a state the recording has."""
AFTER_THE_CONTROLLER = {
    "json patch, all tests hold: rollback",
    "strategic merge, sidecar changed",
    "scale: merge patch",
    "scale: json patch with test",
    "evict: refused, the wrong-uid eviction used up the budget",
}
"""Writes before which, as later answers show, the real controller had made the ReplicaSet of the write before,
though not yet written its status."""
IN_THE_FUTURE = "999999999"
"""The version the recordings ask for when they mean one that is not yet."""
PATIENCE = 3.0
"""Seconds the emulator may be later than the real cluster was."""
SETTLED = 5.0
"""Seconds after which what was there before the first exchange has come to rest."""
BODIES: Json = {
    "<data.a of 1,100,000 bytes>": {"metadata": {"name": "big"}, "data": {"a": "x" * 1_100_000}},
    "<data.a of 3,500,000 bytes>": {"metadata": {"name": "big"}, "data": {"a": "x" * 3_500_000}},
    "<annotation of 270,000 bytes>": {"metadata": {"annotations": {"big": "x" * 270_000}}},
}
"""Requests too large to be recorded, by how the recording describes them."""
ABSENT = {"nowhere", "default", "kube-system", "kube-node-lease"}
"""Namespaces that must not be made before a replay."""


@dataclass(frozen=True)
class Unrecorded:
    """What the recorder did without recording it, as the answers around it show: a request, or a compaction."""

    at: float
    method: str
    path: str = ""
    body: Any = None
    media_type: str = "application/json"
    token: str = ""
    """What the recording calls the continue token that this list answers with."""

    def request(self) -> Json:
        """It as a request."""
        headers = {"content-type": self.media_type} if self.body is not None else {}
        return {**_NOTHING, "method": self.method, "path": self.path, "body": self.body, "headers": headers}


COMPACTION = "etcd's compaction"
"""The method of an Unrecorded that is no request."""


@dataclass
class Outcome:
    """What a replay found, by the names of the exchanges."""

    exchanges: int = 0
    unimplemented: list[str] = field(default_factory=list)
    differ: dict[str, list[str]] = field(default_factory=dict)


class Replay:
    """One recording played to one emulator."""

    def __init__(
        self, cluster: Emulator, session: aiohttp.ClientSession, never_equal: Collection[str] = ()
    ) -> None:
        self.cluster = cluster
        self.session = session
        self._never_equal = never_equal
        """Exchanges for which waiting is no use."""
        self.names = Names()
        self.outcome = Outcome()
        self._owed = 0.0
        """Seconds the recording is ahead of the emulator's clock."""
        self._watches: list[tuple[Json, OpenWatch]] = []

    async def play(
        self,
        exchanges: Sequence[Json],
        present: Sequence[tuple[str, Json]] = (),
        unrecorded: Sequence[Unrecorded] = (),
    ) -> Outcome:
        """All exchanges, in order.

        present: what was there before, besides the namespaces that are asked about: path and object.
        unrecorded: what happened besides.
        """
        namespaces = {"kind": "Namespace", "apiVersion": "v1"}
        there = [
            ("/api/v1/namespaces", {**namespaces, "metadata": {"name": name}})
            for name in sorted(_namespaces_before(exchanges))
        ]
        for path, obj in [*there, *present]:
            await self._do(Unrecorded(0.0, "POST", path, obj))
        await self.cluster.advance(SETTLED if present else 0.0)
        pending = sorted(unrecorded, key=lambda each: each.at)
        before = min([exchanges[0]["at"], *(each.at for each in pending)])
        for exchange in exchanges:
            while pending and pending[0].at <= exchange["at"]:
                deed = pending.pop(0)
                before = self._reach(deed.at, before)
                await self._close_watches(before)
                await self._pass(max(0.0, self._owed))
                await self._do(deed)
            before = self._reach(exchange["at"], before)
            await self._close_watches(before)
            if exchange["response"].get("stream"):
                await self._open_watch(exchange)
            else:
                await self._exchange(exchange)
        self._reach(PATIENCE, 0.0)
        await self._close_watches(float("inf"))
        return self.outcome

    def _reach(self, at: float, before: float) -> float:
        """The recording has moved on, from `before` to `at`; an emulator that is late is not hurried."""
        self._owed = max(0.0, self._owed) + at - before
        return at

    async def _do(self, deed: Unrecorded) -> None:
        if deed.method == COMPACTION:
            self.cluster.forget_history(watches=False)
            return
        answer = await self._ask(deed.request())
        assert answer.status in (200, 201), answer.text
        if deed.token:
            self.names.there[deed.token] = answer.body["metadata"]["continue"]

    async def _close_watches(self, at: float) -> None:
        """Those the recorder had closed by then."""
        for exchange, watch in list(self._watches):
            if exchange["at"] + exchange["response"].get("open_seconds", 0.0) > at:
                continue
            self._watches.remove((exchange, watch))
            await self._pass(max(0.0, self._owed))
            recorded = exchange["response"]["body"]
            while found := list(watch_differences(recorded, watch.events, self.names)):
                if self._owed <= -PATIENCE:
                    self.outcome.differ[exchange["name"]] = found
                    break
                await self._pass(STEP)
            await watch.close()

    async def _open_watch(self, exchange: Json) -> None:
        self.outcome.exchanges += 1
        name, request = exchange["name"], with_versions(self.names, exchange["request"])
        request["headers"] = headers_of(request, name)
        wanted = exchange["request"]["query"].get("resourceVersion", "")
        unknown = wanted == request["query"].get("resourceVersion", "")
        if unknown and 1 < len(wanted) < len(IN_THE_FUTURE):
            present = await self._ask({**_NOTHING, "path": request["path"]})
            version = present.body["metadata"].get("resourceVersion", "")
            request["query"]["resourceVersion"] = version
        watch = await OpenWatch.begin(self.session, self.cluster.url, request)
        if watch.status == 200:
            self._watches.append((exchange, watch))
            return
        await watch.close()
        if watch.status == 501:
            self.outcome.unimplemented.append(name)
        else:
            self.outcome.differ[name] = [f"status: recorded 200, seen {watch.status}"]

    async def _exchange(self, exchange: Json) -> None:
        self.outcome.exchanges += 1
        name = exchange["name"]
        answer, tried, found = await self._best_answer(exchange)
        if answer.status == 501:
            self.outcome.unimplemented.append(name)
            return
        self.names.become(tried)
        if found:
            self.outcome.differ[name] = found

    async def _best_answer(self, exchange: Json) -> tuple[Answered, Names, list[str]]:
        method = exchange["request"]["method"]
        reading = method == "GET"
        hopeless = exchange["name"] in self._never_equal
        if method in ("POST", "DELETE") or hopeless:
            await self._pass(max(0.0, self._owed))
        if exchange["name"] in AFTER_THE_CONTROLLER:
            await self._pass(LAG + STEP / 2)
        if (
            not hopeless
            and method in ("PATCH", "PUT", "DELETE")
            and not exchange["request"]["path"].endswith("/status")
        ):
            await self._until_as_far(exchange)
        self._know_pod(exchange)
        if not reading and exchange["response"]["status"] < 300:
            await self._know_version(exchange["request"])
        closest: list[str] = []
        while True:
            answer = await self._ask(exchange["request"], exchange["name"])
            tried = self.names.copy()
            found = list(answer_differences(exchange["response"], answer, tried))
            closest = found if not closest or len(found) < len(closest) else closest
            if not found or not reading or hopeless or self._owed <= -PATIENCE:
                self._owed = self._owed if reading else min(0.0, self._owed)
                return answer, tried, closest
            await self._pass(STEP)

    def _know_pod(self, exchange: Json) -> None:
        """A pod no answer showed before: any one that is not known by another name may play it."""
        path = re.search(r"/namespaces/([^/]+)/pods/([^/]+)", exchange["request"]["path"])
        if path is None or exchange["response"]["status"] == 404:
            return
        namespace, recorded = path.groups()
        if self.cluster.get("pod", namespace, self.names.translate(recorded)) is not None:
            return
        for pod in self.cluster.list("pods", namespace):
            tried = self.names.copy()
            alive = not pod["metadata"].get("deletionTimestamp")
            if alive and not list(differences(recorded, pod["metadata"]["name"], tried)):
                self.names.become(tried)
                return

    async def _know_version(self, request: Json) -> None:
        """A write that succeeded named the version its object had, even if no answer in the recording shows it."""
        for version in set(
            re.findall(
                r'"(?:resourceVersion|/metadata/resourceVersion)", ?(?:"value": )?"(\d+)"',
                json.dumps(request["body"]),
            )
        ):
            if f"version {version}" not in self.names.there:
                answer = await self._ask({**_NOTHING, "path": request["path"]})
                self.names.bind(f"version {version}", f"version {answer.body['metadata']['resourceVersion']}")

    async def _until_as_far(self, exchange: Json) -> None:
        """A write is made when its object has the status it had in the recording: its answer shows it."""
        body = exchange["response"]["body"]
        if not isinstance(body, dict) or "status" not in body or body.get("kind") == "Status":
            return
        path = exchange["request"]["path"]
        while self._owed > -PATIENCE:
            answer = await self._ask({**_NOTHING, "path": path})
            if answer.status != 200:
                return
            seen = answer.body.get("status")
            if not list(differences(body["status"], seen, self.names.copy())):
                return
            await self._pass(STEP)

    async def _pass(self, seconds: float) -> None:
        self._owed -= seconds
        await self.cluster.advance(seconds)

    async def _ask(self, request: Json, name: str = "") -> Answered:
        request = with_versions(self.names, request)
        headers = headers_of(request, name)
        body = BODIES.get(str(request["body"]), request["body"])
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        query = request["query"]
        async with self.session.request(
            request["method"],
            self.cluster.url + request["path"],
            params=query,
            headers=headers,
            data=io.BytesIO(data.encode()) if data is not None else None,
            skip_auto_headers=["Content-Type", "Accept"],
        ) as response:
            return Answered(response.status, dict(response.headers), await response.text())


def _namespaces_before(exchanges: Sequence[Json]) -> set[str]:
    made: set[str] = set()
    asked: set[str] = set()
    for exchange in exchanges:
        request = exchange["request"]
        path, obj = request["path"], request["body"]
        if path == "/api/v1/namespaces" and isinstance(obj, dict):
            made.add(obj["metadata"]["name"])
        elif "/namespaces/" in path and exchange["response"]["status"] < 300:
            asked.add(path.split("/namespaces/")[1].split("/")[0])
    return asked - made - ABSENT


_NOTHING: Json = {"method": "GET", "query": {}, "headers": {}, "body": None}
