"""A process of role executor: it acts, shows only its health to the outside, and takes no alerts."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from remediator.app import assembled, running
from remediator.clock import SystemClock
from remediator.daemon import Daemon
from remediator.sandbox.kubernetes import Emulator
from remediator.settings.load import Settings
from remediator.trial.account import least_account
from tests.support.alerts import alert, message
from tests.support.people import people
from tests.support.waiting import until
from tests.support.web import Answer, bearer

RULES = "rules: [{rule: nothing, mode: shadow, match: ['{alertname=\"Nothing\"}'], diagnostics: [pods]}]"


@dataclass
class Executor:
    """Where it listens."""

    daemon: Daemon
    outside: str
    inside: str


@pytest.fixture
async def executor(
    tmp_path: Path, real_time_database_url: str, new_port: Callable[[], int]
) -> AsyncIterator[Executor]:
    """Its settings say nothing of who may post alerts: that is the intake's."""
    (tmp_path / "rules.yaml").write_text(RULES)
    account = least_account("remediator", "kube-token")
    async with Emulator(accounts=(account,)) as emulator:
        inside = f"127.0.0.1:{new_port()}"
        settings = {
            "role": "executor",
            "database_url": real_time_database_url,
            "listen_address": "127.0.0.1:0",
            "api_listen_address": inside,
            "rules": [tmp_path / "rules.yaml"],
            "kubernetes": {"kubeconfig": emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token")},
            "engine": {"tick": "200ms"},
            **people(tmp_path, kim=("view", "operate")),
        }
        async with assembled(Settings.model_validate(settings), SystemClock()) as daemon:
            await daemon.rules.reload()
            async with running(daemon) as outside:
                yield Executor(daemon, outside, f"http://{inside}")


async def ask(method: str, url: str, token: str | None = None, body: object = None) -> Answer:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, json=body, headers=bearer(token)) as answer,
    ):
        return Answer(answer.status, answer.headers, await answer.read())


async def test_the_outside_sees_health_and_metrics_and_people_are_answered_inside(executor: Executor) -> None:
    for path in ("/-/healthy", "/-/ready", "/metrics"):
        assert (await ask("GET", executor.outside + path)).status == 200
        assert (await ask("GET", executor.inside + path)).status == 404
    for path in ("/api/v1/runs", "/api/v1/rules", "/api/v1/pauses"):
        assert (await ask("GET", executor.outside + path, "kim-token")).status == 404
        assert (await ask("GET", executor.inside + path)).status == 401
        assert (await ask("GET", executor.inside + path, "kim-token")).status == 200
    for address, status in ((executor.outside, 404), (executor.inside, 200)):
        assert (await ask("POST", address + "/-/reload", "kim-token", {})).status == status


@pytest.mark.parametrize("path", ["/api/v1/alertmanager", "/api/v1/alertmanager/", "/api/v1/alertmanager/x"])
async def test_no_alert_is_taken_anywhere(executor: Executor, path: str) -> None:
    for address in (executor.outside, executor.inside):
        assert (await ask("POST", address + path, "kim-token", message(alert()))).status == 404


async def test_it_reads_what_another_process_stored_without_being_told(executor: Executor) -> None:
    async with executor.daemon.database.connection() as connection:
        await connection.execute(
            """insert into notices (delivery_key, source, fingerprint, status, labels, annotations, starts_at)
               values ('x', 'alertmanager', '0000000000000001', 'firing', '{"alertname": "Other"}', '{}', now())"""
        )

        async def read() -> bool:
            found: bool = await connection.fetchval("select bool_and(read_at is not null) from notices")
            return found

        await until(read, "the notice is read")
