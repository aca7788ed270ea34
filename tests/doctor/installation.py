"""A whole installation as doctor finds it: everything it asks, in real time, and the command as one types it."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from remediator.cli.main import main
from remediator.clock import SystemClock
from remediator.doctor.alarms import ALARMS
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Right
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import AccessRule, Account, Emulator
from remediator.sandbox.prometheus import AlertingRule, Prometheus
from remediator.store import notices
from remediator.store.database import open_database
from remediator.store.notices import IncomingAlert

RULES = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, events, logs, rollout_history]
    actions: [rollback]
    verifications:
      - rollout_complete: {within: 5m}
      - promql: {query: 'sum(rate(failures_total{namespace="${target.namespace}"}[2m]))', below: 1, within: 5m}
      - alert_cleared
"""
QUERY = 'sum(rate(failures_total{namespace="remediator-doctor"}[2m]))'
"""The only query of the rules, as doctor tries it out."""


class Said(NamedTuple):
    """One finding."""

    level: str
    saw: str
    do: str | None


@dataclass
class Times:
    """A clock that is wrong by as much as a test says."""

    wrong_by: timedelta = timedelta(0)

    def now(self) -> datetime:
        return SystemClock().now() + self.wrong_by


def namespace(name: str, *, opted_in: bool = True) -> dict[str, Any]:
    labels = {"remediator.io/enabled": "true"} if opted_in else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def allowed(rights: Iterator[Right] | Sequence[Right], within: str) -> list[AccessRule]:
    return [AccessRule((verb,), (group,), (resource,), (within,)) for verb, group, resource in rights]


@dataclass
class Installation:
    """As healthy as it gets until a test makes something of it ill."""

    directory: Path
    capture: pytest.CaptureFixture[str]
    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    alertmanager_clock: Times
    settings: dict[str, Any] = field(default_factory=dict)

    async def setup(self, database_url: str) -> None:
        """Everything in place and one alert arrived."""
        for name in ("alertmanager", "kim", "address"):
            (self.directory / name).write_text(f"{name}s-secret")
        (self.directory / "rules.yaml").write_text(RULES)
        self.settings |= {
            "cluster": {"name": "production"},
            "database_url": database_url,
            "rules": [str(self.directory / "rules.yaml")],
            "kubernetes": {
                "kubeconfig": str(self.emulator.kubeconfig(self.directory / "kubeconfig", token="kube-token"))
            },
            "alertmanagers": {"urls": [self.alertmanager.url]},
            "prometheus": {"url": self.prometheus.url},
            "intake": {"token_file": str(self.directory / "alertmanager")},
            "people": [{"name": "kim", "token_file": str(self.directory / "kim"), "roles": ["view"]}],
            "notifiers": [{"webhook": {"url_file": str(self.directory / "address")}}],
        }
        self.emulator.create(namespace("shop"))
        self.grant()
        self.alertmanager.fire({"alertname": "Watchdog"}, receivers=["people"])
        self.prometheus.rules += [AlertingRule(name) for name in ("HighErrorRate", *ALARMS)]
        self.prometheus.metrics |= {"failures_total", "remediator_build_info"}
        await self.arrived("0123456789abcdef")

    def grant(
        self,
        *more: AccessRule,
        but: Sequence[Right] = (),
        within: str = "shop",
    ) -> None:
        """From now on the daemon has what deploy/ grants and `more`, without what stands in `but`."""
        inside = [each.right for each in IN_A_NAMESPACE if each.right not in but]
        outside = [each.right for each in EVERYWHERE if each.right not in but]
        rules = [*allowed(inside, within), *allowed(outside, "*"), *more]
        self.emulator.access.add(Account("remediator", "kube-token", rules=rules))

    async def arrived(self, fingerprint: str) -> None:
        """Alertmanager has posted an alert just now."""
        now = SystemClock().now().astimezone(UTC).isoformat()
        key = notices.delivery_key("alertmanager", fingerprint, "firing", now, None)
        alert = IncomingAlert(key, fingerprint, "firing", {"alertname": "A"}, {}, now, None, "")
        database = await open_database(self.settings["database_url"], size=1)
        try:
            async with database.transaction() as connection:
                await notices.store(connection, "alertmanager", [alert])
        finally:
            await database.close()

    async def doctor(self, *options: str) -> tuple[int, str]:
        """Exit status and standard output of the command."""
        return await self.command("doctor", *options)

    async def command(self, *command: str) -> tuple[int, str]:
        """The same of any command that takes the configuration of `serve`."""
        config = self.directory / "remediator.yml"
        config.write_text(json.dumps(self.settings))
        self.capture.readouterr()
        status = await asyncio.to_thread(main, [*command, "--config.file", str(config)])
        printed = self.capture.readouterr()
        assert printed.err == ""
        return status, printed.out

    async def found(self) -> tuple[int, dict[str, list[Said]]]:
        """Exit status, and what each check found."""
        status, out = await self.doctor("--output", "json")
        checks = json.loads(out)["checks"]
        return status, {
            each["check"]: [Said(one["level"], one["saw"], one["do"]) for one in each["findings"]]
            for each in checks
        }

    async def finds(self, check: str) -> list[Said]:
        """What one check found."""
        return (await self.found())[1][check]


def steady(text: str, directory: Path) -> str:
    """The same text on every machine at every time."""
    text = text.replace(str(directory), "DIRECTORY")
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\('127\.0\.0\.1', \d+\)", "PLACE", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID", text)
    text = re.sub(
        r"PostgreSQL [\w. ()~+-]*? at .*?, database \w+", "PostgreSQL VERSION at PLACE, database NAME", text
    )
    text = re.sub(r"\b\d+ ms\b", "N ms", text)
    return re.sub(r"came (\d+s|0s) ago", "came N ago", text)
