"""What the checks look at. Each is opened once, by whichever check asks first, and shared by all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar, cast

from remediator.clients.alertmanager import AlertmanagerClient
from remediator.clients.alertmanager_status import PeerStatus, peer_status
from remediator.clients.bearer import BearerFile
from remediator.clients.http import HttpClient
from remediator.clients.kube_about import KubeAbout
from remediator.clients.kube_connection import KubeConnection, connect
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_rules import KubeOwnRules
from remediator.clients.monitoring import Monitoring
from remediator.clients.prometheus import PrometheusClient
from remediator.clock import Clock
from remediator.errors import Permanent, RemediatorError, Retryable
from remediator.rulebook.load import Rulebook, load
from remediator.settings.load import Settings
from remediator.store.database import DATABASE_ERRORS, Database, open_database
from remediator.workloads.consent import ENABLED

_T = TypeVar("_T")


class Systems:
    """Made by `systems`. A method whose system does not answer raises the same to every check that asks."""

    def __init__(self, settings: Settings, clock: Clock, http: HttpClient, opened: AsyncExitStack) -> None:
        self.settings = settings
        self.clock = clock
        self._http = http
        self._opened = opened
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    @property
    def prometheus(self) -> PrometheusClient:
        at = self.settings.prometheus
        return PrometheusClient(self._http, at.url, BearerFile(at.token_file))

    @property
    def alertmanager(self) -> AlertmanagerClient:
        at = self.settings.alertmanagers
        return AlertmanagerClient(self._http, at.urls, BearerFile(at.token_file))

    @property
    def monitoring(self) -> Monitoring:
        settings = self.settings
        return Monitoring(
            self.alertmanager, self.prometheus, self.clock, settings.monitoring, settings.cluster
        )

    async def database(self) -> Database:
        """A pool. Raises Permanent when none is configured, Retryable when it cannot be reached."""
        return await self._once("database", self._open_database)

    async def about_kubernetes(self) -> KubeAbout:
        """Raises Permanent when there is no usable configuration; nothing is sent yet."""
        return KubeAbout(await self._once("kubernetes", self._connect), self.clock)

    async def own_rules(self) -> KubeOwnRules:
        """Raises as `about_kubernetes` does."""
        return KubeOwnRules(await self._once("kubernetes", self._connect))

    async def kubernetes(self) -> KubeReader:
        """Raises as `about_kubernetes` does."""
        connection = await self._once("kubernetes", self._connect)
        return KubeReader(connection, cluster_uid=self.settings.cluster.uid)

    async def rulebook(self) -> Rulebook:
        """The rules as the daemon would load them. Raises RulebookError."""
        return await self._once("rules", lambda: asyncio.to_thread(load, self.settings.rules))

    async def opted_in(self) -> list[str]:
        """The namespaces the daemon watches: labelled, and named in the settings if any are.

        Raises Retryable or Permanent when the API server does not tell.
        """
        return await self._once("namespaces", self._opted_in)

    async def peers(self) -> dict[str, PeerStatus | RemediatorError]:
        """What each Alertmanager says of itself, or why it says nothing."""
        return await self._once("peers", self._ask_peers)

    async def _once(self, name: str, make: Callable[[], Awaitable[_T]]) -> _T:
        """Shielded: a check that gives up takes nothing away from the others."""
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.ensure_future(_awaited(make))
            self._opened.callback(task.cancel)
        return cast(_T, await asyncio.shield(task))

    async def _open_database(self) -> Database:
        if not self.settings.database_url:
            raise Permanent("no database is configured: give --database-url or REMEDIATOR_DATABASE_URL")
        try:
            database = await open_database(self.settings.database_url, size=3)
        except DATABASE_ERRORS as reason:
            said = str(reason) or type(reason).__name__
            raise Retryable(f"the database cannot be reached: {said}") from reason
        self._opened.push_async_callback(database.close)
        return database

    async def _connect(self) -> KubeConnection:
        connection = await connect(self.settings.kubernetes.kubeconfig)
        self._opened.push_async_callback(connection.close)
        return connection

    async def _opted_in(self) -> list[str]:
        kube, named = await self.kubernetes(), self.settings.kubernetes.namespaces
        if not named:
            return sorted(each["metadata"]["name"] for each in await kube.namespaces({ENABLED: "true"}))
        found = [await kube.namespace(name) for name in named]
        labels = [((each or {}).get("metadata") or {}).get("labels") or {} for each in found]
        return [name for name, has in zip(named, labels, strict=True) if has.get(ENABLED) == "true"]

    async def _ask_peers(self) -> dict[str, PeerStatus | RemediatorError]:
        at = self.settings.alertmanagers
        headers = BearerFile(at.token_file)

        async def ask(url: str) -> PeerStatus | RemediatorError:
            try:
                return await peer_status(self._http, url, headers)
            except RemediatorError as reason:
                return reason

        return dict(zip(at.urls, await asyncio.gather(*map(ask, at.urls)), strict=True))


async def _awaited(make: Callable[[], Awaitable[_T]]) -> _T:
    return await make()


@asynccontextmanager
async def systems(settings: Settings, clock: Clock) -> AsyncIterator[Systems]:
    """Everything that was opened is closed at the end of the block."""
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(HttpClient())
        yield Systems(settings, clock, http, opened)
