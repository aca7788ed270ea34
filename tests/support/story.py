"""A whole daemon against the emulator, in time that only the test moves.

Alerts go in over HTTP in Alertmanager's wire format, changes go out over HTTP to the emulated API
server, and everything between is the product, wired by its own composition root.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.app import assembled, collaborators
from remediator.clock import Clock
from remediator.daemon import Daemon
from remediator.domain.change import RESTARTED_AT
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import EVERYTHING, PROMPT, Account, Emulator
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.store import incidents, journal, runs
from remediator.store.journal import Line
from remediator.store.runs import RunSummary
from remediator.supervise import Bell
from remediator.web.server import listening, make_application
from tests.support.clock import DrivenClock

LONG = 20 * 60.0
CHANGED = ("deployments", "statefulsets", "daemonsets")
TOKEN = "story-token"
KIM = "kims-story-token"
"""Of the one person whom a story knows unless its settings say otherwise; she may view and operate."""
ALERT = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api", "severity": "critical"}

ROLLBACK = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, events, logs, rollout_history]
    actions: [rollback]
    verifications:
      - rollout_complete: {within: 5m}
      - alert_cleared: {for: 1m, within: 45m}
"""
RESTART = ROLLBACK.replace("[rollback]", "[restart]").replace("bad-release", "hung")


def deployment(image: str, *, replicas: int = 2, **annotations: str) -> dict[str, Any]:
    """A Deployment `api` in namespace `shop` whose team allows rollbacks."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "api",
            "namespace": "shop",
            "annotations": {"remediator.io/rollback": "compatible", **annotations},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "image": image,
                            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
                        }
                    ]
                },
            },
        },
    }


@dataclass
class Story:
    """The world of one test, and the sentences it is told in."""

    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    clock: DrivenClock
    daemon: Daemon
    url: str

    async def create(self, image: str, *, replicas: int = 2, **annotations: str) -> None:
        """The Deployment exists, and half a minute later it runs."""
        self.emulator.create(deployment(image, replicas=replicas, **annotations))
        await self.let(30)

    async def bad_release(self) -> None:
        """v1 has soaked; v2 was rolled out four minutes ago and fails its users."""
        await self.create("app:v1")
        await self.soak(35 * 60)
        self.release("app:v2")
        await self.soak(4 * 60 - 15)
        await self.let(15)

    def release(self, image: str) -> None:
        """Somebody rolls out another image."""
        containers = [{"name": "app", "image": image}]
        self._patch({"spec": {"template": {"spec": {"containers": containers}}}})

    def unready(self, status: str = "False") -> None:
        """The kubelet finds no pod ready any more, or every one with `True`."""
        stamp = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {"status": status, "lastTransitionTime": stamp}
        for pod in self.emulator.list("pods", "shop"):
            conditions = [
                {**each, **(told if each["type"] in ("Ready", "ContainersReady") else {})}
                for each in pod["status"]["conditions"]
            ]
            changed = {"status": {"conditions": conditions}}
            name = pod["metadata"]["name"]
            self.emulator.patch("pods", "shop", name, changed, user="kubelet", subresource="status")

    def restart(self) -> None:
        """Somebody runs `kubectl rollout restart`."""
        stamp = {RESTARTED_AT: self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._patch({"spec": {"template": {"metadata": {"annotations": stamp}}}})

    def _patch(self, patch: dict[str, Any]) -> None:
        self.emulator.patch("deployments", "shop", "api", patch, user="somebody", manager="kubectl")

    async def fire(self, **labels: str) -> None:
        """The alert fires now, and Alertmanager posts it."""
        self.alertmanager.fire({**ALERT, **labels})
        await self.deliver()

    async def resolve(self, **labels: str) -> None:
        """The alert resolves now, and Alertmanager posts that."""
        self.alertmanager.resolve({**ALERT, **labels})
        await self.deliver()

    async def deliver(self) -> None:
        """Alertmanager posts everything that is due; all of it must be acknowledged."""
        answers = await self.alertmanager.deliver(f"{self.url}/api/v1/alertmanager", token=TOKEN)
        assert [each.status for each in answers] == [200] * len(answers), answers
        await self.settle()

    async def settle(self) -> None:
        """Let every loop work until none has anything to do at this moment."""
        daemon = self.daemon
        for tick in (daemon.reader.tick, daemon.backfiller.tick, daemon.reader.tick, daemon.planner.tick):
            while await tick():
                pass
        while await daemon.storm_watch.tick() and await daemon.planner.tick():
            pass
        while await daemon.worker.tick():
            pass
        while await daemon.courier.tick():
            pass

    async def soak(self, seconds: float) -> None:
        """Let time pass in which no alert fires: the memory looks, and nothing else has anything to do."""
        while seconds > 0:
            moved = min(60.0, seconds)
            seconds -= moved
            await self.clock.advance(moved)
            await self.emulator.catch_up()
            await self.daemon.watcher.tick()

    async def let(self, seconds: float, *, step: float = 0.0) -> None:
        """Let time pass, with the memory looking and the loops working at every step.

        A step is 15 s, or 60 s where much time passes, unless the story says.
        """
        step = step or (15.0 if seconds < LONG else 60.0)
        while seconds > 0:
            moved = min(step, seconds)
            seconds -= moved
            await self.clock.advance(moved)
            await self.emulator.catch_up()
            await self.daemon.watcher.tick()
            await self.daemon.switches.tick()
            await self.daemon.schemas.tick()
            await self.daemon.reconciler.tick()
            await self.daemon.aftermath.tick()
            await self.daemon.breaker_watch.tick()
            await self.daemon.arming.tick()
            await self.settle()

    def image(self) -> str:
        """The image the Deployment asks for now."""
        found = self.emulator.get("deployments", "shop", "api")
        assert found is not None
        image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
        return image

    def effects(self) -> list[str]:
        """The daemon's real changes of workloads, claims left out: the image after each."""
        return [
            each.after["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in self.emulator.effects
            if each.resource in CHANGED and each.user == "remediator" and each.after and not each.claim
        ]

    async def runs(self) -> list[RunSummary]:
        """All runs, oldest first."""
        async with self.daemon.database.connection() as connection:
            return list(reversed(await runs.recent(connection)))

    async def run(self) -> RunSummary:
        """The newest run."""
        return (await self.runs())[-1]

    async def journal(self) -> list[Line]:
        """The newest incident's journal."""
        async with self.daemon.database.connection() as connection:
            newest = (await incidents.recent(connection, limit=1))[0]
            return list(await journal.of_incident(connection, newest.id))


@asynccontextmanager
async def told(
    tmp_path: Path,
    database_url: str,
    clock: DrivenClock,
    rules: str = ROLLBACK,
    settings: Mapping[str, Any] | None = None,
    other_peers: Sequence[str] = (),
    *,
    namespaces: Sequence[str] = ("shop",),
    machine: Clock | None = None,
) -> AsyncIterator[Story]:
    """A story about Deployments that do not exist yet, in opted-in namespaces, under these rules.

    `other_peers` are addresses of further Alertmanagers the daemon asks, `machine` the clock of the daemon's machine.
    """
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "kim-of-the-story").write_text(KIM)
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "rules" / "story.yaml").write_text(rules)
    account = Account("remediator", "kube-token", rules=(EVERYTHING,))
    async with (
        Emulator(clock, settings=PROMPT, accounts=(account,)) as emulator,
        Alertmanager(clock=clock.now) as alertmanager,
        Prometheus(clock=clock.now) as prometheus,
    ):
        alertmanager.fire({"alertname": "Watchdog"})
        config = {
            "database_url": database_url,
            "rules": [tmp_path / "rules"],
            "listen_address": "127.0.0.1:0",
            "kubernetes": {
                "kubeconfig": emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token"),
                "namespaces": list(namespaces),
            },
            "alertmanagers": {"urls": [alertmanager.url, *other_peers]},
            "prometheus": {"url": prometheus.url},
            "intake": {"token_file": tmp_path / "token"},
            "people": [
                {"name": "kim", "token_file": tmp_path / "kim-of-the-story", "roles": ["view", "operate"]}
            ],
            "probation": "0s",
            **(settings or {}),
        }
        for name in namespaces:
            labels = {"remediator.io/enabled": "true"}
            emulator.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            )
        async with assembled(Settings.model_validate(config), machine or clock) as daemon:
            await daemon.rules.reload()
            application = make_application(collaborators(daemon, Bell()))
            async with listening(application, "127.0.0.1:0") as url:
                yield Story(emulator, alertmanager, prometheus, clock, daemon, url)
