"""A cluster, replicas of the memory that look at it, and what they remember, in time that the test moves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from remediator.clients.kube_connection import connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_watch import KubeWatcher
from remediator.domain.history import Tenure
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.memory.follower import Cluster
from remediator.memory.watcher import Watcher
from remediator.sandbox.kubernetes import EVERYTHING, PROMPT, Account, Emulator, LoggedRequest
from remediator.store import tenures
from remediator.store.database import Database
from tests.support.clock import DrivenClock
from tests.support.story import deployment

API = Target(cluster="here", kind="deployment", namespace="shop", name="api")
EVERY = 15.0


@dataclass
class World:
    """One emulated cluster with namespace `shop`, which has opted in."""

    emulator: Emulator
    database: Database
    clock: DrivenClock
    tmp_path: Path
    opened: AsyncExitStack
    looking: list[Watcher] = field(default_factory=list)

    async def replica(self, name: str, *namespaces: str) -> Watcher:
        """Another replica of the memory."""
        kubeconfig = self.emulator.kubeconfig(self.tmp_path / f"kubeconfig-{name}", token="kube-token")
        connection = await connect(kubeconfig)
        self.opened.push_async_callback(connection.close)
        cluster = Cluster("here", KubeReader(connection), KubeWatcher(connection))
        watcher = Watcher(self.database, cluster, self.clock, name, namespaces, timedelta(seconds=EVERY))
        self.opened.push_async_callback(watcher.close)
        self.looking.append(watcher)
        return watcher

    async def let(self, seconds: float) -> None:
        """Time passes, and every replica looks as often as it does."""
        for _ in range(round(seconds / EVERY)):
            await self.pass_by(EVERY)
            for watcher in self.looking:
                await watcher.tick()

    async def pass_by(self, seconds: float) -> None:
        """Time passes, and nobody looks."""
        await self.clock.advance(seconds)
        await self.emulator.catch_up()

    def release(self, image: str) -> None:
        containers = [{"name": "app", "image": image}]
        self.emulator.patch(
            "deployments", "shop", "api", {"spec": {"template": {"spec": {"containers": containers}}}}
        )

    async def tenures(self, target: Target = API) -> list[Tenure]:
        async with self.database.connection() as connection:
            return await tenures.of_target(connection, target)

    async def available(self) -> float:
        """The longest time, in seconds, the newest tenure of `api` was seen available."""
        return (await self.tenures())[-1].longest_available_seconds

    def lists(self) -> list[LoggedRequest]:
        """Lists of what is inside namespaces, so far."""
        return [each for each in self._asked() if "watch" not in each.query]

    def watches(self) -> list[LoggedRequest]:
        """Watches opened so far."""
        return [each for each in self._asked() if "watch" in each.query]

    def _asked(self) -> list[LoggedRequest]:
        return [each for each in self.emulator.requests if "/namespaces/" in each.path]


def images(found: list[Tenure]) -> list[str]:
    return [each.template["spec"]["containers"][0]["image"] for each in found]


def a_namespace(name: str, enabled: str = "true") -> JsonObject:
    metadata = {"name": name, "labels": {"remediator.io/enabled": enabled}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def config_map(name: str, **data: str) -> JsonObject:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@asynccontextmanager
async def looked_at(tmp_path: Path, database: Database, clock: DrivenClock) -> AsyncIterator[World]:
    """A world in which the Deployment `api` runs app:v1."""
    account = Account("remediator", "kube-token", rules=(EVERYTHING,))
    async with (
        Emulator(clock, settings=PROMPT, accounts=(account,)) as emulator,
        AsyncExitStack() as opened,
    ):
        emulator.create(a_namespace("shop"))
        emulator.create(deployment("app:v1"))
        world = World(emulator, database, clock, tmp_path, opened)
        await world.pass_by(60)
        yield world
