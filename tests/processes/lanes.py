"""Daemons that restart many workloads as fast as they can: the load under which something else is proven."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from remediator.clock import SystemClock
from remediator.domain.run_view import TriggerPerson
from remediator.domain.target import Target
from remediator.rulebook.load import load
from remediator.rulebook.rule import Rule
from remediator.sandbox.kubernetes import Fault, LoggedRequest
from remediator.sandbox.kubernetes.faults import Action, Exchange, Reply
from remediator.sandbox.kubernetes.server import OBSERVERS
from remediator.store import incidents, runs
from remediator.store.database import Database, open_database
from tests.processes.daemons import Scene

NAMESPACES, PER_NAMESPACE, RULES = 6, 10, 4
AT_ONCE = 40
"""Runs that are under way at the same time, those that are held among them."""

_LONG_AGO = """update attempts set outcome_at = outcome_at - interval '2 days'
               where outcome_at > remediator_now() - interval '1 day'"""
"""What is over was two days ago, so that no guard counts it against the next restart."""

_JUST_NOW = 0.1


class Slow(Action):
    """An API server that is not next door: a pause may come while the last look before a write is on its way."""

    async def play(self, exchange: Exchange) -> Reply:
        await asyncio.sleep(random.uniform(0.05, 0.25))
        return exchange.apply()


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
    rules: dict[str, Rule] = field(default_factory=dict)
    rehearsed: "asyncio.Queue[tuple[float, Target]]" = field(default_factory=asyncio.Queue)
    began: dict[Target, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

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
        """Rules, namespaces that have opted in, and a Deployment of no replicas for every target."""
        file = self.directory / "rules.yaml"
        file.write_text(rule_file())
        self.rules = {each.rule: each for each in load([file]).rules}
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
                severity=None,
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
        """A change that was rehearsed is intended and written next: note whose it is, and how long that takes."""
        if request.method != "PATCH" or request.user != "remediator":
            return
        now, target = SystemClock().monotonic(), target_of(request.path)
        if "dryRun" in request.query:
            self.began[target] = now
            self.rehearsed.put_nowait((now, target))
        elif target in self.began:
            self.took.append(now - self.began.pop(target))

    async def about_to_write(self, seconds: float) -> Target | None:
        """A workload that is written to soon, after some of the time from rehearsal to write; None without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    at, target = await self.rehearsed.get()
                    if SystemClock().monotonic() - at < _JUST_NOW:
                        break
            await asyncio.sleep(random.uniform(0, 1.2 * random.choice(self.took[-20:] or [0.3])))
            return target
        return None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """With a database pool of its own, and told of every request."""
        self.database = await open_database(self.database_url)
        OBSERVERS.append(self.watch)
        self.emulator.faults.add(Fault("GET", r"/namespaces/shop-\d+$", Slow(), times=None))
        yield
        OBSERVERS.remove(self.watch)
        await self.database.close()
