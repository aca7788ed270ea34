"""A flood of alerts over many targets, taken by three daemons on one database, judged by the emulator's log."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from remediator.app import assembled, collaborators
from remediator.daemon import Daemon
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import PROMPT, Emulator
from remediator.settings.load import Settings
from remediator.store.database import DATABASE_ERRORS, Database, open_database
from remediator.supervise import Bell
from remediator.trial.account import least_account
from remediator.web.listen import listening
from remediator.web.server import make_application
from tests.storms.windows import Happened
from tests.support.alerts import message
from tests.support.clock import DrivenClock
from tests.support.story import RESTART, TOKEN, deployment

DAEMONS = 3
_A_POST = 250
_MOST_POSTS = 20
_RULES = RESTART.replace('="HighErrorRate"', '=~"HighErrorRate|Hung"').replace(
    "diagnostics: [pods, events, logs, rollout_history]", "diagnostics: [pods]"
)


class SharedClock(DrivenClock):
    """One time for a cluster that outlives many databases."""

    async def belongs_to(self, database: Database) -> None:
        """From now on this database has the same time."""
        self._database = database
        await self.advance(0)

    def nobodys(self) -> None:
        """The database is gone; the cluster's time goes on."""
        self._database = None


@dataclass(frozen=True)
class Target:
    """One Deployment, which fires."""

    namespace: str
    name: str

    def alert(self, number: int = 0, alertname: str = "HighErrorRate") -> dict[str, str]:
        """The labels of its `number`-th alert."""
        labels = {"alertname": alertname, "namespace": self.namespace, "deployment": self.name}
        return {**labels, "code": str(500 + number)}


@dataclass
class Cluster:
    """Deployments that all run, made once for all seeds: making them is what takes long."""

    emulator: Emulator
    clock: SharedClock
    targets: tuple[Target, ...]

    def effects(self, since: int) -> list[Happened]:
        """What the daemons really changed, claims left out, after so many entries of the log."""
        return [
            Happened(each.at, each.namespace)
            for each in self.emulator.effects[since:]
            if each.user == "remediator" and not each.claim and each.resource != "events"
        ]

    def acted_on(self, since: int) -> set[Target]:
        return {
            Target(each.namespace, each.name)
            for each in self.emulator.effects[since:]
            if each.user == "remediator" and not each.claim and each.resource == "deployments"
        }


@asynccontextmanager
async def cluster(targets: int, namespaces: int) -> AsyncIterator[Cluster]:
    """So many Deployments of one replica, spread over opted-in namespaces."""
    clock = SharedClock()
    account = least_account("remediator", "kube-token")
    async with Emulator(clock, settings=PROMPT, accounts=(account,)) as emulator:
        for number in range(namespaces):
            labels = {"remediator.io/enabled": "true"}
            metadata = {"name": f"shop-{number}", "labels": labels}
            emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        made = tuple(Target(f"shop-{number % namespaces}", f"api-{number}") for number in range(targets))
        for each in made:
            one = deployment("app:v1", replicas=1)
            one["metadata"] |= {"name": each.name, "namespace": each.namespace}
            emulator.create(one)
        await clock.advance(60)
        await emulator.catch_up()
        yield Cluster(emulator, clock, made)


@dataclass
class Flood:
    """Three daemons and the Alertmanager that tells them."""

    cluster: Cluster
    alertmanager: Alertmanager
    daemons: Sequence[Daemon]
    urls: Sequence[str]
    random: Random
    session: aiohttp.ClientSession
    posted: int = 0

    async def fire(self, labels: Sequence[dict[str, str]], *, twice: float = 0.2) -> None:
        """These alerts fire now; they are posted in any order to any daemon, some of them again."""
        began = self.cluster.clock.now()
        alerts = [_wire(each, began) for each in labels]
        for each in labels:
            self.alertmanager.fire(each)
        self.random.shuffle(alerts)
        bodies = [alerts[start : start + _A_POST] for start in range(0, len(alerts), _A_POST)]
        bodies += [each for each in bodies if self.random.random() < twice]
        bodies += [
            [self.random.choice(alerts) for _ in range(10)] + self.random.sample(alerts, min(10, len(alerts)))
        ]
        self.random.shuffle(bodies)
        for start in range(0, len(bodies), DAEMONS):
            await asyncio.gather(*(self._post(each) for each in bodies[start : start + DAEMONS]))

    async def resolve(self, *over: dict[str, str]) -> None:
        """These alerts are over."""
        now = self.cluster.clock.now()
        for each in over:
            self.alertmanager.resolve(each)
        await self._post([{**_wire(each, now), "status": "resolved", "endsAt": _stamp(now)} for each in over])

    async def _post(self, alerts: list[dict[str, Any]]) -> None:
        """As Alertmanager does: until it is acknowledged, again after a 503, here to any of the daemons."""
        body = json.dumps(message(*alerts))
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        for _ in range(_MOST_POSTS):
            url = f"{self.random.choice(self.urls)}/api/v1/alertmanager"
            async with self.session.post(url, data=body, headers=headers) as answer:
                status = answer.status
            if status == 200:
                self.posted += len(alerts)
                return
            assert status == 503, status
        raise AssertionError(f"not acknowledged after {_MOST_POSTS} times")

    async def work(self) -> None:
        """Every loop of every daemon works, all at once, until none has anything to do at this moment."""
        while any(await asyncio.gather(*(self._work(each) for each in self.daemons))):
            pass

    async def _work(self, daemon: Daemon) -> bool:
        """A while of one daemon, as its loops would share it; whether there may be more."""
        loops = [
            daemon.reader.tick,
            daemon.planner.tick,
            daemon.planner.tick,
            daemon.worker.tick,
            daemon.worker.tick,
            daemon.storm_watch.tick,
            daemon.courier.tick,
        ]
        self.random.shuffle(loops)

        async def of(tick: Any) -> bool:
            more = False
            for _ in range(self.random.randrange(5, 30)):
                try:
                    if not await tick():
                        break
                except DATABASE_ERRORS:
                    pass  # as every loop of a daemon takes it: the next unit of work
                more = True
            return more

        return any(await asyncio.gather(*(of(each) for each in loops)))

    async def let(self, seconds: float) -> None:
        """Time passes, and everything works."""
        await self.cluster.clock.advance(seconds)
        await self.cluster.emulator.catch_up()
        await self.work()


@asynccontextmanager
async def flood(
    tmp_path: Path, world: Cluster, database_url: str, seed: int, settings: dict[str, Any]
) -> AsyncIterator[Flood]:
    """Three daemons on an empty database, beside a cluster that others have used before."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "rules" / "flood.yaml").write_text(_RULES)
    async with AsyncExitStack() as opened:
        database = await open_database(database_url, size=2)
        opened.push_async_callback(database.close)
        await world.clock.belongs_to(database)
        alertmanager = await opened.enter_async_context(Alertmanager(clock=world.clock.now))
        alertmanager.fire({"alertname": "Watchdog"})
        config = {
            "database_url": database_url,
            "rules": [tmp_path / "rules"],
            "listen_address": "127.0.0.1:0",
            "kubernetes": {
                "kubeconfig": world.emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token")
            },
            "alertmanagers": {"urls": [alertmanager.url]},
            "intake": {"token_file": tmp_path / "token"},
            "probation": "0s",
            **settings,
        }
        daemons, urls = [], []
        for number in range(DAEMONS):
            engine = {**settings.get("engine", {}), "owner": f"replica-{number}"}
            one = Settings.model_validate({**config, "engine": engine})
            daemon = await opened.enter_async_context(assembled(one, world.clock))
            await daemon.rules.reload()
            application = make_application(collaborators(daemon, Bell()))
            urls.append(await opened.enter_async_context(listening(application, "127.0.0.1:0")))
            daemons.append(daemon)
        session = await opened.enter_async_context(aiohttp.ClientSession())
        yield Flood(world, alertmanager, daemons, urls, Random(seed), session)


def _wire(labels: dict[str, str], began: datetime) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": f"{labels['alertname']} in {labels['namespace']}"},
        "startsAt": _stamp(began),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
        "fingerprint": "",
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
