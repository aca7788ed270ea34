"""What guards look at, over real HTTP, and a run to ask them about; no daemon runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from remediator.app import _kit
from remediator.clients.http import HttpClient
from remediator.clients.kube_connection import connect
from remediator.clients.kube_read import KubeReader
from remediator.domain.alert import fingerprint
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView, TriggerAlert
from remediator.kit import Kit
from remediator.planning.policy import Policy
from remediator.planning.rules_in_force import RulesInForce
from remediator.runbook.call_step import Unanswered, call_step
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import PROMPT, Emulator
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.step import Guard
from remediator.store.database import Database
from remediator.telemetry import Metrics
from remediator.trial.account import least_account
from tests.guards.changes import API, a_change
from tests.support.clock import DrivenClock
from tests.support.story import ALERT


@dataclass
class Facts:
    """The world, and the question."""

    emulator: Emulator
    alertmanager: Alertmanager
    prometheus: Prometheus
    clock: DrivenClock
    kit: Kit

    def run(self, **fields: Any) -> RunView:
        """A run for the alert about API, which began two minutes ago; `fields` go over its own."""
        now = self.clock.now()
        alert = TriggerAlert(
            source="alertmanager",
            fingerprint=fingerprint(ALERT),
            labels=ALERT,
            annotations={},
            starts_at=now - timedelta(minutes=2),
            received_at=now - timedelta(minutes=1),
        )
        usual = {"run_id": 1, "rule": "hung", "mode": "act", "target": API, "alert": alert, "created_at": now}
        return RunView(**{**usual, **fields})

    async def verdict(
        self, guard: Guard, run: RunView | None = None, change: Change | None = None
    ) -> GuardVerdict:
        """What the guard says of a change, else of a restart of API, as the daemon hears it."""
        asked = guard.verdict(change or a_change("restart"), run or self.run(), self.kit)
        said = await call_step(guard.key(), asked, guard.deadline)
        assert said is not None
        return guard.unknown(said.why) if isinstance(said, Unanswered) else said


@asynccontextmanager
async def facts_of(
    tmp_path: Path, database: Database, clock: DrivenClock, settings: Mapping[str, Any]
) -> AsyncIterator[Facts]:
    """The namespace `shop` without anything in it, a Watchdog that fires, and a kit made by `settings`."""
    account = least_account("remediator", "kube-token")
    async with (
        Emulator(clock, settings=PROMPT, accounts=(account,)) as emulator,
        Alertmanager(clock=clock.now) as alertmanager,
        Prometheus(clock=clock.now) as prometheus,
        HttpClient() as http,
    ):
        alertmanager.fire({"alertname": "Watchdog"})
        emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        given = {
            "cluster": {"name": "prod"},
            "alertmanagers": {"urls": [alertmanager.url]},
            "prometheus": {"url": prometheus.url},
            **settings,
        }
        connection = await connect(emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token"))
        try:
            asked = Settings.model_validate(given)
            rules = RulesInForce((), database, Metrics(), clock, Policy.of(asked), None)
            made = _kit(asked, clock, database, rules, http, KubeReader(connection))
            yield Facts(emulator, alertmanager, prometheus, clock, made)
        finally:
            await connection.close()
