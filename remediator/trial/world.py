"""A whole daemon against the emulator, in time that only its driver moves.

Alerts go in over HTTP in Alertmanager's wire format, changes go out over HTTP to the emulated API
server, and everything between is the product, wired by its own composition root.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remediator.app import assembled, collaborators
from remediator.clock import Clock
from remediator.daemon import Daemon
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import PROMPT, Effect, Emulator
from remediator.sandbox.kubernetes.images import Images, by_tag
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.supervise import Bell
from remediator.trial.account import least_account
from remediator.trial.clock import DrivenClock
from remediator.web.listen import listening
from remediator.web.server import make_application

LONG = 20 * 60.0
CHANGED = ("deployments", "statefulsets", "daemonsets")
TOKEN = "story-token"
"""Of the Alertmanager."""
WATCHDOG = "Watchdog"
USER = "remediator"
"""As whom the emulated API server knows the daemon."""


class NotTaken(Exception):
    """The daemon does not take what Alertmanager posts to it; the text is its answer."""


@dataclass
class World:
    """A cluster, its monitoring, and the daemon that looks after it."""

    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    clock: DrivenClock
    daemon: Daemon
    url: str

    async def deliver(self) -> None:
        """Alertmanager posts everything that is due. Raises NotTaken when not all of it is acknowledged."""
        answers = await self.alertmanager.deliver(f"{self.url}/api/v1/alertmanager", token=TOKEN)
        refused = [each for each in answers if each.status != 200]
        if refused:
            raise NotTaken(f"{refused[0].status} {refused[0].error or ''}".strip())
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

    async def soak(self, seconds: float, *, step: float = 60.0) -> None:
        """Let time pass in which no alert fires: the memory looks, and nothing else has anything to do."""
        while seconds > 0:
            moved = min(step, seconds)
            seconds -= moved
            self.emulator.write_elsewhere()
            await self.clock.advance(moved)
            await self.emulator.catch_up()
            await self.daemon.watcher.tick()

    async def let(self, seconds: float, *, step: float = 0.0) -> None:
        """Let time pass, with the memory looking and the loops working at every step.

        A step is 15 s, or 60 s where much time passes, unless the caller says.
        """
        step = step or (15.0 if seconds < LONG else 60.0)
        while seconds > 0:
            moved = min(step, seconds)
            seconds -= moved
            self.emulator.write_elsewhere()
            await self.clock.advance(moved)
            await self.emulator.catch_up()
            await self.work()

    async def work(self, *, look: bool = True) -> None:
        """Every loop looks once at what there is now, and works until it has nothing to do; the memory if asked to."""
        if look:
            await self.daemon.watcher.tick()
        await self.daemon.switches.tick()
        await self.daemon.schemas.tick()
        await self.daemon.reconciler.tick()
        await self.daemon.aftermath.tick()
        await self.daemon.breaker_watch.tick()
        await self.daemon.arming.tick()
        await self.settle()

    def changes(self) -> list[Effect]:
        """What the daemon really changed of workloads, claims left out, oldest first."""
        return [
            each
            for each in self.emulator.effects
            if each.resource in CHANGED and each.user == USER and each.after and not each.claim
        ]


@dataclass(frozen=True)
class Given:
    """What a world begins with."""

    rules: Sequence[Path]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """They go over the ones every world has."""
    namespaces: Sequence[str] = ()
    """Made, opted in, and the only ones the memory looks at; without any it looks at all that opt in."""
    images: Images = by_tag
    other_peers: Sequence[str] = ()
    """Addresses of further Alertmanagers the daemon asks."""
    machine: Clock | None = None
    """The clock of the daemon's machine; None is the driven one."""


@asynccontextmanager
async def standing(
    directory: Path, database_url: str, clock: DrivenClock, given: Given
) -> AsyncIterator[World]:
    """A cluster and a daemon until the end of the block. What has to be in files is put into `directory`."""
    (directory / "token").write_text(TOKEN)
    account = least_account(USER, "kube-token")
    async with (
        Emulator(clock, images=given.images, settings=PROMPT, accounts=(account,)) as emulator,
        Alertmanager(clock=clock.now) as alertmanager,
        Prometheus(clock=clock.now) as prometheus,
    ):
        alertmanager.fire({"alertname": WATCHDOG})
        config = {
            "database_url": database_url,
            "rules": list(given.rules),
            "listen_address": "127.0.0.1:0",
            "kubernetes": {
                "kubeconfig": emulator.kubeconfig(directory / "kubeconfig", token="kube-token"),
                "namespaces": list(given.namespaces),
            },
            "alertmanagers": {"urls": [alertmanager.url, *given.other_peers]},
            "prometheus": {"url": prometheus.url},
            "intake": {"token_file": directory / "token"},
            "probation": "0s",
            **given.settings,
        }
        for name in given.namespaces:
            emulator.create(namespace(name))
        async with assembled(Settings.model_validate(config), given.machine or clock) as daemon:
            await daemon.rules.reload()
            application = make_application(collaborators(daemon, Bell()))
            async with listening(application, "127.0.0.1:0") as url:
                yield World(emulator, alertmanager, prometheus, clock, daemon, url)


def namespace(name: str, labels: Mapping[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """A namespace that has opted in, unless its labels say otherwise."""
    chosen = {"remediator.io/enabled": "true"} | dict(labels or {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": chosen, **metadata}}
