"""The world of the demo: a private PostgreSQL, an emulated cluster, stand-ins, and the daemon as a process."""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.cli.client import Daemon
from remediator.clock import SystemClock
from remediator.errors import Permanent
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import Emulator
from remediator.sandbox.ports import reserved_port
from remediator.sandbox.postgres import PostgresError, PostgresServer
from remediator.sandbox.prometheus import Prometheus
from remediator.trial.account import least_account

SOAK_SECONDS = 4
ERROR_RATIO = "sum(rate(http_errors_total[1m])) / sum(rate(http_requests_total[1m]))"
BAD_IMAGE = "registry.example.com/shop/api:v2"

RULES = f"""\
rules:
  - rule: bad-release
    description: A release that fails its users is rolled back to the last version known to be good.
    mode: act
    match: ['{{alertname="HighErrorRate", severity="critical"}}']
    diagnostics:
      - pods
      - events
      - logs: {{tail: 20, grep: '(?i)error|fatal|listening'}}
      - rollout_history
      - promql: {{title: error ratio, query: '{ERROR_RATIO}'}}
    guards:
      - limit: {{effects: 1, per: 6h, of: target}}
    actions:
      - rollback: {{soak: {SOAK_SECONDS}s}}
    verifications:
      - rollout_complete: {{within: 1m}}
      - promql: {{query: '{ERROR_RATIO}', below: 0.05, for: 2s, within: 1m}}
      - alert_cleared: {{for: 1s, within: 2m}}
"""

_CONFIG = """\
cluster: {{name: demo}}
database_url: {database_url}
listen_address: {address}
rules: [{rules}]
alertmanagers: {{urls: [{alertmanager}]}}
prometheus: {{url: {prometheus}}}
kubernetes: {{kubeconfig: {kubeconfig}, namespaces: [shop]}}
intake: {{token_file: {token}}}
people:
  - {{name: you, token_file: {token}, roles: [view, approve, operate]}}
engine: {{tick: 200ms, memory_every: 2s, verify_every: 500ms, hold: 1s, settle: 5s}}
shadow: {{window: 1s}}
"""


@dataclass
class World:
    """Everything the demo's story needs, running."""

    directory: Path
    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def token_file(self) -> Path:
        return self.directory / "token"

    @property
    def log(self) -> Path:
        return self.directory / "daemon.log"

    def daemon(self) -> Daemon:
        """The daemon as a person asks it."""
        return Daemon(self.url, self.token_file)

    def environment(self) -> dict[str, str]:
        """What lets the remediator commands find this daemon."""
        return {"REMEDIATOR_URL": self.url, "REMEDIATOR_TOKEN_FILE": str(self.token_file)}

    def image(self, name: str) -> str:
        """The image a Deployment of the shop asks for now."""
        found = self.emulator.get("deployments", "shop", name) or {}
        image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
        return image

    def error_ratio(self) -> float:
        """What Prometheus would measure: the bad release fails three requests in ten."""
        return 0.31 if self.image("api") == BAD_IMAGE else 0.001

    def effects(self) -> int:
        """Changes of workloads the API server really applied for the daemon; claims are not among them."""
        return sum(
            1
            for each in self.emulator.effects
            if each.user == "remediator" and each.resource == "deployments" and not each.claim
        )


async def start(opened: AsyncExitStack, directory: Path, rules: str) -> World:
    """Start everything with these rules; `opened` stops it again, the daemon first.

    Raises Permanent when something cannot start.
    """
    token = directory / "token"
    token.write_text(secrets.token_urlsafe(24))
    token.chmod(0o600)
    (directory / "rules.yaml").write_text(rules)
    database_url = _database(opened, directory)
    account = least_account("remediator", secrets.token_urlsafe(24))
    emulator = await opened.enter_async_context(Emulator(accounts=(account,), anonymous_admin=True))
    alertmanager = await opened.enter_async_context(Alertmanager(clock=SystemClock().now))
    prometheus = await opened.enter_async_context(Prometheus(clock=SystemClock().now))
    alertmanager.fire({"alertname": "Watchdog"})
    address = f"127.0.0.1:{opened.enter_context(reserved_port())}"
    config = directory / "remediator.yml"
    config.write_text(
        _CONFIG.format(
            database_url=database_url,
            address=address,
            rules=directory / "rules.yaml",
            alertmanager=alertmanager.url,
            prometheus=prometheus.url,
            kubeconfig=emulator.kubeconfig(directory / "kubeconfig", token=account.token),
            token=token,
        )
    )
    command("migrate", "--database-url", database_url)
    process = _daemon(opened, directory, config)
    world = World(directory, emulator, alertmanager, prometheus, f"http://{address}", process)
    prometheus.answer(ERROR_RATIO, world.error_ratio)
    return world


def command(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run a remediator command as a user would and return what it printed. Raises Permanent when it fails."""
    ran = subprocess.run(
        [sys.executable, "-m", "remediator", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ran.returncode != 0:
        raise Permanent(
            f"`remediator {' '.join(arguments)}` failed: {ran.stderr.strip() or ran.stdout.strip()}"
        )
    return ran.stdout


def _database(opened: AsyncExitStack, directory: Path) -> str:
    try:
        server = opened.enter_context(PostgresServer(directory / "postgresql"))
    except PostgresError as reason:
        raise Permanent(f"the demo's PostgreSQL does not start: {reason}") from reason
    return server.dsn("postgres")


def _daemon(opened: AsyncExitStack, directory: Path, config: Path) -> "subprocess.Popen[bytes]":
    log = opened.enter_context((directory / "daemon.log").open("wb"))
    arguments: Sequence[str] = [sys.executable, "-m", "remediator", "serve", "--config.file", str(config)]
    process = subprocess.Popen(arguments, stderr=log, stdout=log)
    opened.callback(_stop, process)
    return process


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def deployment(name: str, image: str) -> dict[str, Any]:
    """One of the shop's services."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": {"remediator.io/rollback": "compatible"},
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": name, "image": image}]},
            },
        },
    }
