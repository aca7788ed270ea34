"""Pauses made and ended under load, by every way there is, each with when it began and when it was ended."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp

from remediator.clock import SystemClock
from remediator.domain.switch import Scope
from remediator.domain.target import Target
from remediator.store import pauses
from remediator.store.pauses import Asked
from remediator.workloads.paused import PAUSED
from tests.processes.daemons import TOKEN
from tests.processes.lanes import Lanes, rule_of
from tests.support.waiting import until

_KUBECTL = "kubectl-annotate"


@dataclass(frozen=True)
class Flip:
    """One pause, from when it was set until it was ended."""

    scope: Scope
    value: str
    source: str
    began: datetime
    """When its transaction committed; for an annotation or file, when it was written."""
    latched: datetime
    """When it was a pause of the database."""
    ended: datetime

    def covers(self, target: Target) -> bool:
        """Whether it stops what is done to this workload."""
        names = {
            "everything": "",
            "namespace": target.namespace,
            "rule": rule_of(target),
            "target": str(target),
        }
        return names[self.scope] == self.value


@dataclass
class Flips:
    """Makes them, and keeps each."""

    lanes: Lanes
    http: aiohttp.ClientSession
    made: list[Flip] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def by_request(self, scope: Scope, value: str, lasts: float) -> None:
        """Pause by the API and resume after `lasts` seconds."""
        name = f"flip-{next(self.numbers)}"
        content = {"name": name, "scope": scope, "value": value, "why": "flip"}
        await self._ask("/api/v1/pauses", content, done=409)
        await asyncio.sleep(lasts)
        await self._end(name, scope, value, "request", None)

    async def by_replica(self, scope: Scope, value: str, lasts: float) -> None:
        """The same by what the API calls, at once: as a replica does it that has nothing else to do."""
        asked = Asked(kind="pause", scope=scope, value=value, who="test", why="flip")
        async with self.lanes.database.transaction() as connection:
            made = await pauses.request(connection, asked)
        assert made is not None
        await asyncio.sleep(lasts)
        async with self.lanes.database.transaction() as connection:
            assert await pauses.clear(connection, made, "test", "flip")
        await self._note(made.name, scope, value, "request", None)

    async def by_annotation(self, scope: Scope, value: str, lasts: float) -> None:
        """Annotate, wait, take the annotation away, and end what it has become."""
        kind, namespace, name = (
            ("namespaces", "", value) if scope == "namespace" else ("deployments", *value.split("/")[1:])
        )
        began = SystemClock().now()
        self.lanes.emulator.patch(
            kind, namespace, name, {"metadata": {"annotations": {PAUSED: "flip"}}}, manager=_KUBECTL
        )
        await asyncio.sleep(lasts)
        made = await self._latched("annotation", value)
        self.lanes.emulator.patch(
            kind, namespace, name, {"metadata": {"annotations": {PAUSED: None}}}, manager=_KUBECTL
        )
        await self._end(made, scope, value, "annotation", began)

    async def by_file(self, number: int, lasts: float) -> None:
        """Write the file of one daemon, wait, remove it, and end what it has become."""
        file = self.lanes.directory / "volume" / f"stop-{number}"
        began = SystemClock().now()
        file.write_text("flip\n")
        await asyncio.sleep(lasts)
        made = await self._latched("file", "")
        file.unlink()
        await self._end(made, "everything", "", "file", began)

    async def _latched(self, source: str, value: str) -> str:
        async def found() -> str | None:
            async with self.lanes.database.connection() as connection:
                name: str | None = await connection.fetchval(
                    "select name from pauses where source = $1 and value = $2 and cleared_at is null",
                    source,
                    value,
                )
            return name

        name: str = await until(found, f"{source} {value} is a pause of the database", seconds=20, every=0.05)
        return name

    async def _end(self, name: str, scope: Scope, value: str, source: str, began: datetime | None) -> None:
        await self._ask(f"/api/v1/pauses/{name}/resume", {"why": "flip"}, done=404, again=409)
        await self._note(name, scope, value, source, began)

    async def _note(self, name: str, scope: Scope, value: str, source: str, began: datetime | None) -> None:
        async with self.lanes.database.connection() as connection:
            made, ended = await connection.fetch(
                """select pg_xact_commit_timestamp(xmin) as at from journal
                   where kind = 'pause' and details->>'name' = $1 order by id""",
                name,
            )
        self.made.append(Flip(scope, value, source, began or made["at"], made["at"], ended["at"]))

    async def _ask(self, path: str, content: dict[str, str], *, done: int, again: int = 503) -> None:
        """Ask one or another until it is done; `done` is the answer when it was, and only that answer was lost.

        `again` is the answer to a request that may be done later, as 503 always is.
        """

        async def answered() -> bool:
            async with self.http.post(random.choice(self.lanes.daemons).url + path, json=content) as answer:
                assert answer.status < 300 or answer.status in (done, again, 503), await answer.text()
                return answer.status not in (again, 503)

        await until(answered, f"{path} is answered")


def client() -> aiohttp.ClientSession:
    """Of the person who flips."""
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"})
