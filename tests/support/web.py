"""The web part on a real port, and a client that speaks to it as Alertmanager or a person would."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from remediator.clock import SystemClock
from remediator.digest.section import Digest, Period
from remediator.domain.asked import NotStarted, Started
from remediator.domain.rule_mode import RuleMode
from remediator.domain.run_view import Mode
from remediator.domain.slo import ErrorRate, SloStatus
from remediator.people.roster import People
from remediator.rulebook.rule import Rule
from remediator.settings.load import Settings
from remediator.store.database import Connection, Database, open_database
from remediator.store.pauses import PauseRequest
from remediator.telemetry import Metrics
from remediator.web.collaborators import Collaborators
from remediator.web.listen import listening
from remediator.web.server import make_application

INTAKE = "/api/v1/alertmanager"
TOKEN = "an-alertmanagers-token"
DEADLINE = 30.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Daemon:
    """What the web part asks the rest of the daemon for; a test may change the answers."""

    rules: Sequence[Rule] = ()
    why_not_act: str | None = None
    reload: Callable[[], str] = field(default=lambda: "nothing changed")
    times_stored: int = 0

    async def of_another_cluster(self) -> None:
        """The database is the one of this cluster."""

    async def start(
        self, rule_name: str, target: str, mode: Mode | None, who: str, why: str
    ) -> Started | NotStarted:
        """There is no cluster behind this web part."""
        return NotStarted(because="not_now", why="the cluster cannot be read", hint="Ask again.")

    async def undo(self, run_id: int, who: str, why: str) -> Started | NotStarted:
        """Nor is there anything to undo."""
        return NotStarted(because="no_such_thing", why=f"there is no run {run_id}", hint="List them.")

    async def still_set(self, pause: PauseRequest) -> str | None:
        """No annotation and no file is there."""
        return None

    async def statuses(self) -> list[SloStatus]:
        """No Prometheus is there to tell of any."""
        return []

    async def error_rates(self, over: timedelta) -> list[ErrorRate]:
        """Nor of their errors."""
        return []

    async def digest(self, period: Period) -> Digest:
        """Nothing is there to be told."""
        now = SystemClock().now()
        return Digest(period=period, begin=now, end=now, sections=())

    def stored(self) -> None:
        """Counts how often it was told that alerts were committed."""
        self.times_stored += 1


class Web:
    """One running web part."""

    def __init__(
        self,
        url: str,
        database: Database,
        metrics: Metrics,
        http: aiohttp.ClientSession,
        routes: Sequence[tuple[str, str]],
    ) -> None:
        self.url = url
        self.routes = routes
        """Method and path of everything it answers."""
        self.database = database
        self.metrics = metrics
        self._http = http

    @property
    def session(self) -> aiohttp.ClientSession:
        """For what `send` cannot say."""
        return self._http

    async def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, as it is; redirects are not followed."""
        async with (
            asyncio.timeout(DEADLINE),
            self._http.request(
                method,
                f"{self.url}{path}",
                data=None if body is None else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
            ) as answer,
        ):
            return Answer(answer.status, answer.headers, await answer.read())

    async def post(self, body: bytes | Mapping[str, Any], path: str = INTAKE, **headers: str) -> Answer:
        """Post as Alertmanager does; `headers` go over its own, with `_` for `-`."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        usual = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        return await self.send(
            "POST", path, body, {**usual, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    async def get(self, path: str, token: str | None = None) -> Answer:
        """Get as a person does."""
        return await self.send("GET", path, None, bearer(token))

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """What the database holds."""
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *parameters)]

    def metric(self, name: str, **labels: str) -> float:
        """The value of one series; 0 when it does not exist yet."""
        return self.metrics.registry.get_sample_value(f"remediator_{name}", labels) or 0.0


def bearer(token: str | None) -> dict[str, str]:
    """Headers with the token, or none."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def token_file(directory: Path, name: str, token: str) -> Path:
    """A file that holds `token`."""
    path = directory / name
    path.write_text(f"{token}\n")
    return path


@asynccontextmanager
async def running_web(
    dsn: str, settings: Mapping[str, Any], daemon: Daemon | None = None
) -> AsyncIterator[Web]:
    """The web part over its own pool on `dsn`, until the end of the block."""
    daemon = daemon or Daemon()

    async def why_not_act() -> str | None:
        return daemon.why_not_act

    async def reload() -> str:
        return daemon.reload()

    async def rule_modes() -> list[RuleMode]:
        return []

    async with AsyncExitStack() as stack:
        database, metrics = await open_database(dsn), Metrics()
        stack.push_async_callback(database.close)
        found = Settings.model_validate({**settings, "database_url": dsn})
        people = People(found, SystemClock())
        application = make_application(
            Collaborators(
                settings=found,
                people=people,
                web_config=people.web_config,
                database=database,
                metrics=metrics,
                rules=lambda: daemon.rules,
                rule_modes=rule_modes,
                of_another_cluster=daemon.of_another_cluster,
                why_not_act=why_not_act,
                reload=reload,
                still_set=daemon.still_set,
                stored=daemon.stored,
                asked=daemon,
                slos=daemon,
                digest=daemon.digest,
            )
        )
        url = await stack.enter_async_context(listening(application, "127.0.0.1:0", people.web_config))
        http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        routes = [
            (each.method, each.resource.canonical) for each in application.router.routes() if each.resource
        ]
        yield Web(url, database, metrics, await stack.enter_async_context(http), routes)


@asynccontextmanager
async def held_rows(database: Database, query: str) -> AsyncIterator[Connection]:
    """Rows locked by somebody else until the end of the block."""
    async with database.transaction() as connection:
        await connection.execute(query)
        yield connection
