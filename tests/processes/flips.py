"""Pauses made and ended at random while daemons restart workloads as fast as they can.

Who is late is judged by what is not ours: the emulator's log of requests, and PostgreSQL's own times of commits.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from remediator.clock import SystemClock
from remediator.domain.run_view import TriggerPerson
from remediator.domain.switch import Scope
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.sandbox.kubernetes import LoggedRequest
from remediator.sandbox.kubernetes.server import OBSERVERS
from remediator.store import incidents, runs
from remediator.store.database import Database, open_database
from remediator.workloads.paused import PAUSED
from tests.processes.daemons import TOKEN, Scene
from tests.support.waiting import until

NAMESPACES, PER_NAMESPACE, RULES = 6, 10, 4
_LONG_AGO = """update attempts set outcome_at = outcome_at - interval '2 days'
               where outcome_at > remediator_now() - interval '1 day'"""
"""What is over was two days ago, so that no guard counts it against the next restart."""

_JUST_NOW = 0.1
_KUBECTL = "kubectl-annotate"
AT_ONCE = 40
"""Runs that are under way at the same time, those that are held among them."""

PROMISED = timedelta(seconds=2)
"""From a pause to the last write that may begin."""


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


@dataclass(frozen=True)
class Judgement:
    """What a check of all flips found."""

    late: list[str]
    effects: int
    stopped: int
    """Flips that found a run that had already been cleared to write, and kept it from that."""
    slowest_latch: float
    """Seconds from an annotation or a file to the pause of the database, at most."""


def every_target() -> Iterator[Target]:
    for namespace in range(NAMESPACES):
        for name in range(PER_NAMESPACE):
            yield Target(
                cluster="default", kind="deployment", namespace=f"shop-{namespace}", name=f"api-{name}"
            )


def rule_of(target: Target) -> str:
    """The rule under which a workload is restarted, always the same one."""
    return f"restart-{int(target.name.removeprefix('api-')) % RULES}"


def target_of(path: str) -> Target:
    """The workload of a request."""
    _, _, _, _, namespace, kind, name = path.strip("/").split("/")
    return Target(cluster="default", kind=kind.removesuffix("s"), namespace=namespace, name=name)


def rule_file() -> str:
    one = """
  - rule: restart-{number}
    mode: act
    match: ['{{alertname="Hung{number}"}}']
    actions: [restart]
    verifications: [rollout_complete]
"""
    return "rules:" + "".join(one.format(number=number) for number in range(RULES))


@dataclass
class Lanes(Scene):
    """Many workloads without pods, so that a restart costs the emulator nothing, and daemons with many workers."""

    database: Database = field(init=False)
    http: aiohttp.ClientSession = field(init=False)
    flips: list[Flip] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    rehearsed: "asyncio.Queue[tuple[float, Target]]" = field(default_factory=asyncio.Queue)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def _settings(self, port: int) -> dict[str, Any]:
        settings = super()._settings(port)
        del settings["kubernetes"]["namespaces"]
        engine = {"tick": "200ms", "memory_every": "1s", "hold": "1s", "lease": "15s", "workers": 4}
        return {
            **settings,
            "budgets": {"everywhere": 1000, "in_namespace": 1000, "unsettled": 1000},
            "pause_file": str(self.directory / "volume" / f"stop-{len(self.daemons)}"),
            "engine": {**settings["engine"], **engine},
        }

    def furnish(self) -> None:
        """Namespaces that have opted in, and a Deployment of no replicas for every target."""
        (self.directory / "volume").mkdir()
        for number in range(NAMESPACES):
            labels = {"remediator.io/enabled": "true"}
            self.emulator.create(
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": f"shop-{number}", "labels": labels},
                }
            )
        for target in every_target():
            labels = {"app": target.name}
            self.emulator.create(
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "metadata": {"name": target.name, "namespace": target.namespace},
                    "spec": {
                        "replicas": 0,
                        "revisionHistoryLimit": 1,
                        "selector": {"matchLabels": labels},
                        "template": {
                            "metadata": {"labels": labels},
                            "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
                        },
                    },
                }
            )

    async def keep_busy(self) -> None:
        """A person asks for the next restart of every workload whose last one is over. Until cancelled."""
        while True:
            async with self.database.connection() as connection:
                await connection.execute(_LONG_AGO)
                busy = await connection.fetch("select namespace, name from runs where ended_at is null")
            taken = {(row["namespace"], row["name"]) for row in busy}
            idle = [each for each in every_target() if (each.namespace, each.name) not in taken]
            random.shuffle(idle)
            for target in idle[: max(0, AT_ONCE - len(busy))]:
                await self._ask_for(target)
            await asyncio.sleep(0.2)

    async def _ask_for(self, target: Target) -> None:
        async with self.database.transaction() as connection:
            incident_id, _ = await incidents.attach(
                connection,
                subject=f"default/{target}",
                title="load",
                cluster="default",
                target=target,
                severity="",
            )
            await runs.create(
                connection,
                incident_id=incident_id,
                rule=self.rules[rule_of(target)],
                mode="act",
                target=target,
                trigger=TriggerPerson(who="load", why="load", at=SystemClock().now()),
                depends_on=(),
            )

    def watch(self, request: LoggedRequest) -> None:
        """A change that was rehearsed is intended and written next: note whose it is."""
        if request.method == "PATCH" and "dryRun" in request.query:
            self.rehearsed.put_nowait((SystemClock().monotonic(), target_of(request.path)))

    async def about_to_write(self, seconds: float) -> Target | None:
        """The next workload of which a change has just been rehearsed; None when there is none for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    at, target = await self.rehearsed.get()
                    if SystemClock().monotonic() - at < _JUST_NOW:
                        return target
        return None

    def written(self) -> list[tuple[datetime, Target]]:
        """Every request of the daemons that changes a workload, claims too, and when it came."""
        found = []
        for each in self.emulator.requests:
            if each.method == "PATCH" and each.user == "remediator" and "dryRun" not in each.query:
                _, _, _, _, namespace, kind, name = each.path.strip("/").split("/")
                target = Target(
                    cluster="default", kind=kind.removesuffix("s"), namespace=namespace, name=name
                )
                found.append((each.at, target))
        return found

    # -- flips ----------------------------------------------------------------------------------------------

    async def by_request(self, scope: Scope, value: str, lasts: float) -> None:
        """Pause by the API and resume after `lasts` seconds."""
        name = f"flip-{next(self.numbers)}"
        content = {"name": name, "scope": scope, "value": value, "why": "flip"}
        await self._ask("/api/v1/pauses", content, done=409)
        await asyncio.sleep(lasts)
        await self._end(name, scope, value, "request", None)

    async def by_annotation(self, scope: Scope, value: str, lasts: float) -> None:
        """Annotate, wait, take the annotation away, and end what it has become."""
        kind, namespace, name = (
            ("namespaces", "", value) if scope == "namespace" else ("deployments", *value.split("/")[1:])
        )
        began = SystemClock().now()
        self.emulator.patch(
            kind, namespace, name, {"metadata": {"annotations": {PAUSED: "flip"}}}, manager=_KUBECTL
        )
        await asyncio.sleep(lasts)
        made = await self._latched("annotation", value)
        self.emulator.patch(
            kind, namespace, name, {"metadata": {"annotations": {PAUSED: None}}}, manager=_KUBECTL
        )
        await self._end(made, scope, value, "annotation", began)

    async def by_file(self, number: int, lasts: float) -> None:
        """Write the file of one daemon, wait, remove it, and end what it has become."""
        file = self.directory / "volume" / f"stop-{number}"
        began = SystemClock().now()
        file.write_text("flip\n")
        await asyncio.sleep(lasts)
        made = await self._latched("file", "")
        file.unlink()
        await self._end(made, "everything", "", "file", began)

    async def _latched(self, source: str, value: str) -> str:
        async def found() -> str | None:
            async with self.database.connection() as connection:
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
        async with self.database.connection() as connection:
            made, ended = await connection.fetch(
                """select pg_xact_commit_timestamp(xmin) as at from journal
                   where kind = 'pause' and details->>'name' = $1 order by id""",
                name,
            )
        self.flips.append(Flip(scope, value, source, began or made["at"], made["at"], ended["at"]))

    async def _ask(self, path: str, content: dict[str, str], *, done: int, again: int = 503) -> None:
        """Ask one or another until it is done; `done` is the answer when it was, and only that answer was lost.

        `again` is the answer to a request that may be done later, as 503 always is.
        """

        async def answered() -> bool:
            async with self.http.post(random.choice(self.daemons).url + path, json=content) as answer:
                assert answer.status < 300 or answer.status in (done, again, 503), await answer.text()
                return answer.status not in (again, 503)

        await until(answered, f"{path} is answered")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """With a database pool and a client of its own."""
        self.database = await open_database(self.database_url)
        OBSERVERS.append(self.watch)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as self.http:
            yield
        OBSERVERS.remove(self.watch)
        await self.database.close()

    # -- the judge ------------------------------------------------------------------------------------------

    async def judged(self) -> Judgement:
        """Hold every intent, every sending and every write against every flip."""
        async with self.database.connection() as connection:
            intents = await connection.fetch(
                """select pg_xact_commit_timestamp(j.xmin) as at, a.namespace, a.name from journal j
                   join attempts a on a.run_id = j.run_id where j.kind = 'intent'"""
            )
            sendings = await connection.fetch(
                "select sent_at as at, namespace, name from attempts where sends > 0"
            )
            stopped = await connection.fetch(
                """select min(at) as at, r.namespace, r.name from journal j join runs r on r.id = j.run_id
                   where j.kind = 'held' and j.details->>'from' = 'APPROVED' and j.text like '%pause%'
                   group by j.id, r.namespace, r.name"""
            )
        late = [*self._late("intent", intents), *self._late("sending", sendings)]
        writes = self.written()
        for flip in self.flips:
            for at, target in writes:
                if flip.began + PROMISED < at < flip.ended and flip.covers(target):
                    late.append(f"write {at - flip.began} after {flip}")
        slowest = max(each.latched - each.began for each in self.flips)
        return Judgement(late, len(self.effects()), self._stopped(stopped), slowest.total_seconds())

    def _late(self, what: str, rows: list[asyncpg.Record]) -> Iterator[str]:
        """What came while the database had a pause of it: intents, and the decisions to send one."""
        for row in rows:
            target = Target(
                cluster="default", kind="deployment", namespace=row["namespace"], name=row["name"]
            )
            for flip in self.flips:
                if flip.latched < row["at"] < flip.ended and flip.covers(target):
                    yield f"{what} {row['at'] - flip.latched} after {flip}"

    def _stopped(self, rows: list[asyncpg.Record]) -> int:
        found = 0
        for flip in self.flips:
            for row in rows:
                target = Target(
                    cluster="default", kind="deployment", namespace=row["namespace"], name=row["name"]
                )
                if flip.began < row["at"] < flip.ended and flip.covers(target):
                    found += 1
                    break
        return found


def lanes_of(directory: Path, world: Scene) -> Lanes:
    """The same scene, with lanes in it."""
    return Lanes(directory, world.database_url, world.emulator, world.alertmanager, world.prometheus)
