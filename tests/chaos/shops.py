"""Many small shops on one emulator, looked after by one daemon in driven time: a story in each, all at once.

Each shop is a namespace of its own with one Deployment, so that a fault can be laid for one of them alone, and what a
story costs in looks of the memory and steps of the clock is shared.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from remediator.app import assembled, collaborators
from remediator.daemon import Daemon
from remediator.errors import RemediatorError
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import PROMPT, Emulator
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.store.database import DATABASE_ERRORS
from remediator.supervise import Bell
from remediator.trial.account import least_account
from remediator.web.listen import listening
from remediator.web.server import make_application
from tests.chaos.history import Expected, History, Told, Write, told
from tests.chaos.reading import read
from tests.support.clock import DrivenClock
from tests.support.story import TOKEN, deployment

WORKERS, PLANNERS = 6, 3
MANY = 1_000
STEP = 15.0
_LOOK = 120.0
_SOAK = 10 * 60.0
_MOST_POSTS = 20

RULES = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, events, logs, rollout_history]
    actions:
      - rollback: {soak: 3m}
    verifications:
      - rollout_complete: {within: 5m}
"""


@dataclass
class Shops:
    """The world of one batch of stories."""

    emulator: Emulator
    alertmanager: Alertmanager
    clock: DrivenClock
    daemon: Daemon
    url: str
    database_url: str
    """Of the history: whatever stands between the daemon and its database is left out."""
    names: Sequence[str]
    acknowledged: list[Told] = field(default_factory=list)
    good: frozenset[str] = frozenset()
    failures: list[BaseException] = field(default_factory=list)
    """What units of work failed with: a loop takes the next one."""
    refused: int = 0
    """How often a request was answered 503."""
    looks: bool = True
    """Whether the memory looks at every step."""

    @property
    def complaints(self) -> int:
        """How often something failed that a fault may have been felt by."""
        return len(self.failures) + self.refused

    async def soaked(self) -> None:
        """Every shop runs v1, and the memory has seen it long enough."""
        for name in self.names:
            one = deployment("app:v1", replicas=1)
            one["metadata"]["namespace"] = name
            self.emulator.create(one)
        await self.let(_SOAK, step=_LOOK)
        self.good = frozenset(
            Write.of(each).after for each in self.emulator.effects if each.resource == "deployments"
        )

    async def bad_releases(self, names: Sequence[str]) -> None:
        """v2 is rolled out in these shops and fails its users; two minutes later nobody knows yet."""
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
        for name in names:
            self.emulator.patch("deployments", name, "api", patch, user="somebody", manager="kubectl")
        await self.let(_LOOK, step=_LOOK)
        # From here on another replica would look for the memory: every watch hears of every shop.
        await self.daemon.watcher.close()
        self.looks = False

    async def fire(self, names: Sequence[str]) -> None:
        """Their alerts fire, and Alertmanager posts until every one is acknowledged."""
        for name in names:
            self.alertmanager.fire(alert_of(name))
        await self.deliver()

    async def deliver(self) -> None:
        """As Alertmanager does: what is not acknowledged is sent again."""
        for _ in range(_MOST_POSTS):
            due = self.alertmanager.notifications()
            answers = await self.alertmanager.deliver(
                f"{self.url}/api/v1/alertmanager", token=TOKEN, notifications=due
            )
            self.acknowledged += [
                one for each in answers if each.status == 200 for one in told(each.notification)
            ]
            assert {each.status for each in answers} <= {200, 503}, answers
            if all(each.status == 200 for each in answers):
                await self.work()
                return
            self.refused += 1
            await self.let(STEP)
        raise AssertionError(f"not acknowledged after {_MOST_POSTS} times")

    async def work(self) -> None:
        """Every loop works, several at once as in a daemon, until none has anything to do at this moment."""
        daemon = self.daemon
        await self._all_of(daemon.reader.tick)
        ticks = [daemon.planner.tick] * PLANNERS + [daemon.worker.tick] * WORKERS + [daemon.courier.tick] * 2
        while any(await asyncio.gather(*(self._all_of(each) for each in ticks))):
            pass

    async def let(self, seconds: float, *, step: float = STEP) -> None:
        """Time passes, and everything works at every step."""
        daemon = self.daemon
        while seconds > 0:
            moved = min(step, seconds)
            seconds -= moved
            await self._advance(moved)
            await self.emulator.catch_up()
            for tick in (
                *([daemon.watcher.tick] if self.looks else []),
                daemon.switches.tick,
                daemon.schemas.tick,
                daemon.reconciler.tick,
                daemon.aftermath.tick,
                daemon.breaker_watch.tick,
                daemon.arming.tick,
                daemon.storm_watch.tick,
            ):
                await self._unit(tick)
            await self.work()

    async def _advance(self, seconds: float) -> None:
        try:
            await self.clock.advance(seconds)
        except DATABASE_ERRORS:
            await self.clock.advance(
                0
            )  # the database was restarted, and with it the clock's connections went

    async def undisposed(self) -> list[dict[str, Any]]:
        """Notices that nobody has read, and alerts about which nothing is decided."""
        return await self.rows(
            """select 'notice ' || fingerprint as what from notices where read_at is null
               union all select 'episode ' || id from episodes where closed_at is null and disposition is null"""
        )

    async def _all_of(self, tick: Callable[[], Awaitable[bool]]) -> bool:
        found = False
        while await self._unit(tick):
            found = True
        return found

    async def _unit(self, tick: Callable[[], Awaitable[bool]]) -> bool:
        """One unit of work, as `supervise` takes it: what fails is over, and the next comes later."""
        try:
            return await tick()
        except (*DATABASE_ERRORS, RemediatorError) as reason:
            self.failures.append(reason)
            return False

    async def until_over(self, seconds: float, *, at_least: float = 0.0) -> datetime:
        """Time passes until no run is active any more, at most so long; when it was looked at last."""
        passed = 0.0
        while passed < seconds and (passed < at_least or await self._active()):
            await self.let(STEP)
            passed += STEP
        return self.clock.now()

    async def _active(self) -> bool:
        rows = await self.rows(
            """select 1 from episodes where closed_at is null and disposition is null
               union all select 1 from runs where ended_at is null"""
        )
        return bool(rows)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database holds, asked past everything that is broken."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def endings(self) -> dict[str, tuple[str, str]]:
        """State and reason of the newest run of every shop."""
        rows = await self.rows("select namespace, state, why from runs order by id")
        return {row["namespace"]: (row["state"], row["why"] or "") for row in rows}

    def effects_on(self, name: str) -> list[str]:
        """The images that the daemon's real changes set in this shop."""
        return [
            each.after["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in self.emulator.effects
            if each.user == "remediator"
            and each.resource == "deployments"
            and each.namespace == name
            and each.after
            and not each.claim
        ]

    async def history(self, faults_ended_at: datetime) -> History:
        """Everything that the checks judge."""
        expected = Expected(
            faults_ended_at=faults_ended_at,
            good=self.good,
            everywhere=MANY,
            in_namespace=MANY,
            # Evidence is as old as the last step of the clock, which moves between two looks.
            fresh_within=timedelta(seconds=STEP),
        )
        connection = await asyncpg.connect(self.database_url)
        try:
            return await read(connection, self.emulator.effects, self.acknowledged, expected)
        finally:
            await connection.close()


def alert_of(name: str) -> dict[str, str]:
    """The labels of a shop's alert."""
    return {"alertname": "HighErrorRate", "namespace": name, "deployment": "api", "severity": "critical"}


@asynccontextmanager
async def shops(
    directory: Path,
    database_url: str,
    names: Iterable[str],
    *,
    clock: DrivenClock,
    daemon_url: str | None = None,
    limits: Mapping[str, Any] | None = None,
) -> AsyncIterator[Shops]:
    """Shops in which nothing runs yet; `daemon_url` is how the daemon reaches the database, if otherwise.

    `limits` are the daemon's settings of its database.
    """
    (directory / "token").write_text(TOKEN)
    (directory / "rules.yaml").write_text(RULES)
    names = list(names)
    async with AsyncExitStack() as opened:
        account = least_account("remediator", "kube-token")
        emulator = await opened.enter_async_context(Emulator(clock, settings=PROMPT, accounts=(account,)))
        alertmanager = await opened.enter_async_context(Alertmanager(clock=clock.now))
        prometheus = await opened.enter_async_context(Prometheus(clock=clock.now))
        alertmanager.fire({"alertname": "Watchdog"})
        for name in names:
            metadata = {"name": name, "labels": {"remediator.io/enabled": "true"}}
            emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        config = {
            "database_url": daemon_url or database_url,
            "database": {**(limits or {})},
            "rules": [directory / "rules.yaml"],
            "listen_address": "127.0.0.1:0",
            "kubernetes": {
                "kubeconfig": emulator.kubeconfig(directory / "kubeconfig", token="kube-token"),
                "namespaces": names,
            },
            "alertmanagers": {"urls": [alertmanager.url]},
            "prometheus": {"url": prometheus.url},
            "intake": {"token_file": directory / "token"},
            "probation": "0s",
            "budgets": {"everywhere": MANY, "in_namespace": MANY, "unsettled": MANY},
            "storm": {"in_namespace": MANY, "anywhere": MANY},
            "engine": {"memory_every": f"{_LOOK:g}s", "workers": WORKERS},
        }
        daemon = await opened.enter_async_context(assembled(Settings.model_validate(config), clock))
        await daemon.rules.reload()
        application = make_application(collaborators(daemon, Bell()))
        url = await opened.enter_async_context(listening(application, "127.0.0.1:0"))
        yield Shops(emulator, alertmanager, clock, daemon, url, database_url, names)
