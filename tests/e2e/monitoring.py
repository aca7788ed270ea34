"""A real Prometheus and a real Alertmanager on loopback, and the service they watch."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.support.waiting import until

ERROR_RATIO = 'sum(rate(http_requests_total{code=~"5.."}[5s])) / sum(rate(http_requests_total[5s]))'

_PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]
scrape_configs:
  - job_name: api
    static_configs: [{{targets: ['{service}']}}]
  - job_name: remediator
    static_configs: [{{targets: ['{daemon}']}}]
"""
_RULES = {
    "groups": [
        {
            "name": "e2e",
            "rules": [
                {"alert": "Watchdog", "expr": "vector(1)"},
                {
                    "alert": "HighErrorRate",
                    "expr": f"{ERROR_RATIO} > 0.05",
                    "for": "1s",
                    "labels": {"severity": "critical", "namespace": "shop", "deployment": "api"},
                    "annotations": {"summary": "api fails its users"},
                },
            ],
        }
    ]
}
_ALERTMANAGER = """
route:
  receiver: nobody
  routes:
    - matchers: ['severity="critical"']
      receiver: remediator
      group_by: [alertname, namespace, deployment]
      group_wait: 1s
      group_interval: 2s
      repeat_interval: 1m
receivers:
  - name: nobody
  - name: remediator
    webhook_configs:
      - url: {url}/api/v1/alertmanager
        send_resolved: true
        http_config:
          follow_redirects: false
          authorization: {{credentials_file: {token}}}
"""


def binary(*names: str) -> str:
    """The first of these programs that is on PATH."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found is not None, f"none of {', '.join(names)} is on PATH: run this with `make e2e`"
    return found


class Service:
    """A service whose share of failed requests is what `failing` says at every moment."""

    def __init__(self, failing: Callable[[], float]) -> None:
        self._failing = failing
        self._good = self._bad = 0.0

    async def serve_requests(self) -> None:
        """A hundred requests a second, for ever."""
        while True:
            share = self._failing()
            self._good += 10 * (1 - share)
            self._bad += 10 * share
            await asyncio.sleep(0.1)

    async def metrics(self, _: web.Request) -> web.Response:
        """What Prometheus scrapes."""
        return web.Response(
            text="# TYPE http_requests_total counter\n"
            f'http_requests_total{{code="200"}} {self._good}\nhttp_requests_total{{code="500"}} {self._bad}\n'
        )

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Serve /metrics and take requests for the length of the block."""
        application = web.Application()
        application.add_routes([web.get("/metrics", self.metrics)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        requests = asyncio.create_task(self.serve_requests())
        try:
            yield
        finally:
            requests.cancel()
            await runner.cleanup()


@dataclass(frozen=True)
class Ports:
    """Where everything listens, chosen before anything is started."""

    daemon: int
    prometheus: int
    alertmanager: int
    service: int


@contextmanager
def real_monitoring(directory: Path, ports: Ports, token: Path) -> Iterator[None]:
    """Prometheus and Alertmanager as processes, ended by pid at the end of the block."""
    rules = directory / "rules.json"
    rules.write_text(json.dumps(_RULES))
    alertmanager = f"127.0.0.1:{ports.alertmanager}"
    (directory / "prometheus.yml").write_text(
        _PROMETHEUS.format(
            rules=rules,
            alertmanager=alertmanager,
            service=f"127.0.0.1:{ports.service}",
            daemon=f"127.0.0.1:{ports.daemon}",
        )
    )
    (directory / "alertmanager.yml").write_text(
        _ALERTMANAGER.format(url=f"http://127.0.0.1:{ports.daemon}", token=token)
    )
    with (
        _process(
            directory / "alertmanager.log",
            *_alertmanager(),
            f"--config.file={directory / 'alertmanager.yml'}",
            f"--storage.path={directory / 'alertmanager'}",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        ),
        _process(
            directory / "prometheus.log",
            binary("prometheus"),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            "--rules.alert.resend-delay=1s",
        ),
    ):
        yield


def _alertmanager() -> list[str]:
    """How to start Alertmanager.

    Debian's is built to read its templates below /usr/share. Unpacked and not installed, it is given
    the unpacked /usr/share in a mount namespace of its own; nothing of this machine is touched.
    """
    program = binary("alertmanager", "prometheus-alertmanager")
    unpacked = Path(program).parent.parent / "share"
    wanted = Path("prometheus/alertmanager/default.tmpl")
    if (
        unpacked == Path("/usr/share")
        or not (unpacked / wanted).exists()
        or (Path("/usr/share") / wanted).exists()
    ):
        return [program]
    within = 'mount --bind "$0" /usr/share && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", within, str(unpacked), program]


async def ready(url: str) -> None:
    """Wait until a Prometheus or an Alertmanager answers that it is ready."""

    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await until(answers, f"{url} is ready", seconds=30)


async def without_answer(url: str, queries: Iterable[str]) -> list[str]:
    """Those of these instant queries to which this Prometheus answers nothing."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:

        async def answers(query: str) -> bool:
            async with session.get(f"{url}/api/v1/query", params={"query": query}) as answer:
                return bool((await answer.json())["data"]["result"])

        return [query for query in queries if not await answers(query)]


@contextmanager
def _process(log: Path, *command: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
