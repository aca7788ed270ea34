"""Three daemons as processes on one database, each behind proxies of its own to PostgreSQL and to the API server."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from remediator.clock import SystemClock
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.alertmanager_webhook import Notification
from remediator.sandbox.kubernetes import Emulator
from remediator.sandbox.ports import reserved_port
from remediator.trial.account import least_account
from tests.chaos.history import Told, told
from tests.chaos.postgres_wire import Statements
from tests.chaos.proxy import Proxy, to_postgres, to_tcp
from tests.support.waiting import until

REPLICAS = 3
LEASE_SECONDS = 3
TOKEN = "fleet-token"
_POST_SECONDS = 3.0

RULES = """
rules:
  - rule: hung
    mode: act
    match: ['{alertname="Hung"}']
    diagnostics: [pods]
    actions: [restart]
    verifications: [rollout_complete]
"""


@dataclass
class Replica:
    """One of the three."""

    number: int
    url: str
    command: Sequence[str]
    shift: Path
    log: Path
    postgres: Proxy
    api: Proxy
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self.send(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(timeout=10)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def set_clock(self, wrong_by: float) -> None:
        """Its wall clock jumps."""
        self.shift.write_text(str(wrong_by))
        self.send(signal.SIGUSR1)

    async def ready(self, session: aiohttp.ClientSession) -> None:
        """Wait until it may take alerts."""

        async def answers() -> bool:
            assert self.runs, self.log.read_text()[-3000:]
            return await self.answers(session)

        await until(answers, f"replica {self.number} is ready", seconds=60, every=0.1)

    async def answers(self, session: aiohttp.ClientSession) -> bool:
        """Whether it says that it is ready."""
        try:
            async with session.get(f"{self.url}/-/ready", timeout=aiohttp.ClientTimeout(2)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def peak_mebibytes(self) -> int:
        """The most memory it ever had (VmHWM of proc(5)): the peak of what was resident."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) // 1024


@dataclass
class Fleet:
    """The daemons and what they work with; the clock is the machine's."""

    emulator: Emulator
    alertmanager: Alertmanager
    replicas: Sequence[Replica]
    random: Random
    session: aiohttp.ClientSession
    acknowledged: list[Told] = field(default_factory=list)

    def furnish(self, namespaces: int, deployments: int) -> list[dict[str, str]]:
        """So many Deployments without pods, which cost nothing; the labels of the alert of each."""
        for number in range(namespaces):
            metadata = {"name": f"shop-{number}", "labels": {"remediator.io/enabled": "true"}}
            self.emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        alerts = []
        for number in range(deployments):
            namespace, name = f"shop-{number % namespaces}", f"api-{number}"
            self.emulator.create(_without_pods(namespace, name))
            alerts.append({"alertname": "Hung", "namespace": namespace, "deployment": name})
        return alerts

    async def post(self, due: Sequence[Notification]) -> None:
        """To any replica, again to another until it is acknowledged, as Alertmanager does."""
        for notification in due:
            await until(partial(self._posted, notification), "an alert is acknowledged", seconds=120)
            self.acknowledged += told(notification)

    async def _posted(self, notification: Notification) -> bool:
        replica = self.random.choice(self.replicas)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        try:
            async with self.session.post(
                f"{replica.url}/api/v1/alertmanager",
                data=notification.body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(_POST_SECONDS),
            ) as answer:
                assert answer.status in (200, 503), await answer.text()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


def _without_pods(namespace: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:v1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 0,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


@asynccontextmanager
async def fleet(
    directory: Path, database_url: str, seed: int, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Fleet]:
    """Three daemons that are ready; whatever still runs at the end is killed."""
    (directory / "token").write_text(TOKEN)
    (directory / "rules.yaml").write_text(RULES)
    async with AsyncExitStack() as opened:
        account = least_account("remediator", "kube-token")
        emulator = await opened.enter_async_context(Emulator(accounts=(account,)))
        emulator.kubeconfig(directory / "kubeconfig", token="kube-token")
        alertmanager = await opened.enter_async_context(Alertmanager(clock=SystemClock().now))
        alertmanager.fire({"alertname": "Watchdog"})
        session = await opened.enter_async_context(aiohttp.ClientSession())
        replicas = []
        for number in range(REPLICAS):
            statements = Statements()
            postgres = await opened.enter_async_context(Proxy(to_postgres(database_url), statements))
            api = await opened.enter_async_context(Proxy(to_tcp(emulator.port)))
            config = _config(directory, alertmanager.url, number, settings or {})
            config["database_url"] = _through(postgres, database_url)
            config["listen_address"] = f"127.0.0.1:{opened.enter_context(reserved_port())}"
            one = _replica(directory, number, config, postgres, api)
            one.start()
            opened.callback(_end, one)
            replicas.append(one)
        await asyncio.gather(*(each.ready(session) for each in replicas))
        yield Fleet(emulator, alertmanager, replicas, Random(seed), session)


def _end(replica: Replica) -> None:
    if replica.runs:
        replica.kill()


def _through(postgres: Proxy, database_url: str) -> str:
    database = database_url.partition("///")[2].partition("?")[0]
    return f"postgresql://postgres@127.0.0.1:{postgres.port}/{database}"


def _config(
    directory: Path, alertmanager_url: str, number: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "rules": [str(directory / "rules.yaml")],
        "kubernetes": {"kubeconfig": str(directory / f"kubeconfig-{number}")},
        "alertmanagers": {"urls": [alertmanager_url]},
        "intake": {"token_file": str(directory / "token")},
        "probation": "0s",
        **settings,
        "engine": {
            "owner": f"replica-{number}",
            "tick": "200ms",
            "memory_every": "2s",
            "verify_every": "500ms",
            "hold": "500ms",
            "lease": f"{LEASE_SECONDS}s",
            **settings.get("engine", {}),
        },
    }


def _replica(directory: Path, number: int, config: dict[str, Any], postgres: Proxy, api: Proxy) -> Replica:
    kubeconfig = json.loads((directory / "kubeconfig").read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{api.port}"
    (directory / f"kubeconfig-{number}").write_text(json.dumps(kubeconfig))
    written = directory / f"replica-{number}.yml"
    written.write_text(json.dumps(config))
    shift = directory / f"shift-{number}"
    shift.write_text("0")
    return Replica(
        number=number,
        url=f"http://{config['listen_address']}",
        command=[sys.executable, "-m", "tests.chaos.replica", str(written), str(shift)],
        shift=shift,
        log=directory / f"replica-{number}.log",
        postgres=postgres,
        api=api,
    )
