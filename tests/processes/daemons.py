"""Daemons as processes of their own, against an emulator in the test's process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from remediator.clock import SystemClock
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import Emulator
from remediator.sandbox.ports import reserved_port
from remediator.sandbox.prometheus import Prometheus
from remediator.trial.account import least_account
from tests.support.story import ALERT, deployment
from tests.support.waiting import until

TOKEN = "process-token"
SERVE = ("-m", "remediator", "serve", "--config.file")
SOAK_SECONDS = 3
LEASE_SECONDS = 2

RULES = f"""
rules:
  - rule: bad-release
    mode: act
    match: ['{{alertname="HighErrorRate"}}']
    diagnostics: [pods]
    actions:
      - rollback: {{soak: {SOAK_SECONDS}s}}
    verifications:
      - rollout_complete: {{within: 1m}}
      - alert_cleared: {{for: 1s, within: 1m}}
"""


@dataclass
class Daemon:
    """One daemon process."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    async def ready(self) -> None:
        """Wait until it may take alerts."""

        async def answers() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                async with aiohttp.ClientSession() as session, session.get(f"{self.url}/-/ready") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(answers, "the daemon is ready", seconds=30)

    async def get(self, path: str) -> Any:
        """What its API answers."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return json.loads(await answer.text())

    async def run_in(self, *states: str) -> dict[str, Any]:
        """Wait until the newest run is in one of these states."""

        async def there() -> dict[str, Any] | None:
            found = (await self.get("/api/v1/runs"))["runs"]
            return found[0] if found and found[0]["state"] in states else None

        run: dict[str, Any] = await until(there, f"the run is {' or '.join(states)}", seconds=60)
        return run

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


@dataclass
class Scene:
    """What the daemons work with."""

    directory: Path
    database_url: str
    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    daemons: list[Daemon] = field(default_factory=list)
    alertmanager_url: str | None = None
    """A real Alertmanager's, instead of the stand-in's."""
    prometheus_url: str | None = None

    @contextmanager
    def daemon(self, port: int | None = None, program: Sequence[str] = SERVE) -> Iterator[Daemon]:
        """A daemon process, ended at the end of the block if it still runs; `program` gets its configuration."""
        with reserved_port() as free, self._process(port or free, program) as made:
            yield made

    @contextmanager
    def _process(self, port: int, program: Sequence[str]) -> Iterator[Daemon]:
        number = len(self.daemons)
        config = self.directory / f"daemon-{number}.yml"
        config.write_text(json.dumps(self._settings(port)))
        log = self.directory / f"daemon-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *program, str(config)],
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        made = Daemon(f"http://127.0.0.1:{port}", process, log)
        self.daemons.append(made)
        try:
            yield made
        finally:
            if process.poll() is None:
                made.kill()

    def _settings(self, port: int) -> dict[str, Any]:
        token = str(self.directory / "token")
        return {
            "database_url": self.database_url,
            "rules": [str(self.directory / "rules.yaml")],
            "listen_address": f"127.0.0.1:{port}",
            "kubernetes": {"kubeconfig": str(self.directory / "kubeconfig"), "namespaces": ["shop"]},
            "alertmanagers": {"urls": [self.alertmanager_url or self.alertmanager.url]},
            "prometheus": {"url": self.prometheus_url or self.prometheus.url},
            "intake": {"token_file": token},
            "people": [{"name": "test", "token_file": token, "roles": ["view", "operate", "approve"]}],
            "probation": "0s",
            "engine": {
                "tick": "100ms",
                "memory_every": "500ms",
                "verify_every": "300ms",
                "hold": "500ms",
                "lease": f"{LEASE_SECONDS}s",
            },
        }

    async def soaked(self) -> None:
        """The shop runs v1, and the memory has seen it long enough."""
        self.emulator.create(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "shop", "labels": {"remediator.io/enabled": "true"}},
            }
        )
        self.emulator.create(deployment("app:v1"))
        await until(self._remembered, "v1 has soaked")

    async def _remembered(self) -> bool:
        connection = await asyncpg.connect(self.database_url)
        try:
            longest = await connection.fetchval("select max(longest_available_seconds) from tenures")
        finally:
            await connection.close()
        return bool(longest and longest >= SOAK_SECONDS)

    async def bad_release(self) -> None:
        """v2 is rolled out and fails its users; two seconds later the alert fires."""
        change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
        self.emulator.patch("deployments", "shop", "api", change, user="somebody", manager="kubectl")
        clock = SystemClock()
        released_at = clock.monotonic()

        async def later() -> bool:
            return clock.monotonic() - released_at > 2.5

        await until(later, "two seconds have passed")
        self.alertmanager.fire(ALERT)

    async def post(self, daemon: Daemon) -> int | None:
        """Alertmanager posts what is due to this daemon; the status of the last answer."""
        answers = await self.alertmanager.deliver(f"{daemon.url}/api/v1/alertmanager", token=TOKEN)
        return answers[-1].status

    def effects(self) -> list[str]:
        """The images the daemons' real changes asked for; claims are left out."""
        return [
            each.after["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in self.emulator.effects
            if each.resource == "deployments" and each.user == "remediator" and each.after and not each.claim
        ]


@asynccontextmanager
async def scene(directory: Path, database_url: str) -> AsyncIterator[Scene]:
    """An emulator and stand-ins, and no daemon yet."""
    (directory / "token").write_text(TOKEN)
    (directory / "rules.yaml").write_text(RULES)
    account = least_account("remediator", "kube-token")
    clock = SystemClock()
    async with (
        Emulator(accounts=(account,)) as emulator,
        Alertmanager(clock=clock.now) as alertmanager,
        Prometheus(clock=clock.now) as prometheus,
    ):
        emulator.kubeconfig(directory / "kubeconfig", token="kube-token")
        alertmanager.fire({"alertname": "Watchdog"})
        yield Scene(directory, database_url, emulator, alertmanager, prometheus)
