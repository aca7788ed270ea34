"""A whole daemon in real time against a cluster: the emulator, or whatever KUBECONFIG names."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from remediator.app import assembled, running
from remediator.clients.kube_connection import KubeConnection
from remediator.clock import SystemClock
from remediator.daemon import Daemon
from remediator.domain.change import revision_hash
from remediator.run import State
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.store import attempts, runs
from remediator.store.attempts import Attempt
from remediator.store.runs import RunSummary
from tests.cluster.releases import Releases
from tests.support.waiting import until

TOKEN = "live-token"
SOAK_SECONDS = 4.0

RULES = f"""
rules:
  - rule: bad-release
    mode: act
    match: ['{{alertname="HighErrorRate"}}']
    diagnostics: [pods, events, logs, rollout_history]
    actions:
      - rollback: {{soak: {SOAK_SECONDS:g}s}}
    verifications:
      - rollout_complete: {{within: 2m}}
      - alert_cleared: {{for: 1s, within: 2m}}
  - rule: hung
    mode: act
    match: ['{{alertname="Hung"}}']
    actions: [restart]
    verifications:
      - rollout_complete: {{within: 2m}}
      - alert_cleared: {{for: 1s, within: 2m}}
  - rule: load
    mode: act
    match: ['{{alertname="Load"}}']
    guards: [promql: {{query: load, above: 0.5}}]
    actions: [scale: {{by: 2, up_to: 3}}]
    verifications:
      - rollout_complete: {{within: 2m}}
      - alert_cleared: {{for: 1s, within: 2m}}
"""


@dataclass
class Live:
    """The world of one test in real time."""

    kube: KubeConnection
    namespace: str
    releases: Releases
    alertmanager: Alertmanager
    prometheus: Prometheus
    daemon: Daemon
    url: str
    kind: str = "deployment"
    fired: list[dict[str, str]] = field(default_factory=list)

    @property
    def _path(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/{self.kind}s"

    async def create(self, template: dict[str, Any], kind: str = "deployment") -> None:
        """A workload `api` of this kind whose team allows rollbacks, up and running."""
        self.kind = kind
        answer = await self.kube.call("POST", self._path, body=workload(kind, template))
        assert answer.status == 201, answer.body
        await self.rolled_out()

    async def workload(self) -> dict[str, Any]:
        """The workload as the API server has it now."""
        answer = await self.kube.call("GET", f"{self._path}/api")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def release(self, template: dict[str, Any], who: str = "somebody") -> None:
        """Somebody rolls out another template."""
        patch = [{"op": "replace", "path": "/spec/template", "value": template}]
        answer = await self.kube.call(
            "PATCH",
            f"{self._path}/api",
            query={"fieldManager": who},
            body=patch,
            headers={"Content-Type": "application/json-patch+json"},
        )
        assert answer.status == 200, answer.body

    async def delete(self) -> None:
        """Somebody deletes the workload, and it is gone."""
        answer = await self.kube.call("DELETE", f"{self._path}/api")
        assert answer.status == 200, answer.body

        async def gone() -> bool:
            return (await self.kube.call("GET", f"{self._path}/api")).status == 404

        await until(gone, "the workload is gone")

    async def rolled_out(self) -> None:
        """Wait until the newest template is fully available."""

        async def complete() -> bool:
            return fully_rolled_out(await self.workload())

        await until(complete, f"the {self.kind} is fully rolled out")

    async def soaked(self) -> None:
        """Wait until the daemon's memory has seen the current version available long enough."""
        found = await self.workload()
        revision = revision_hash(found["spec"]["template"])

        async def seen() -> bool:
            async with self.daemon.database.connection() as connection:
                longest = await connection.fetchval(
                    """select max(longest_available_seconds) from tenures
                       where namespace = $1 and revision = $2 and uid = $3""",
                    self.namespace,
                    revision,
                    found["metadata"]["uid"],
                )
            return bool(longest and longest >= SOAK_SECONDS)

        await until(seen, f"the memory has seen {SOAK_SECONDS:g} s of availability")

    async def version(self) -> str:
        """Which of the releases the workload asks for now."""
        template = (await self.workload())["spec"]["template"]
        name: str = template["metadata"]["annotations"]["release"]
        return name

    async def fire(self, alertname: str = "HighErrorRate", **labels: str) -> None:
        """The alert fires now, and Alertmanager posts it."""
        alert = {
            "alertname": alertname,
            "namespace": self.namespace,
            self.kind: "api",
            "severity": "critical",
            **labels,
        }
        await self._a_second_after_the_rollout()
        self.fired.append(alert)
        self.alertmanager.fire(alert)
        await self.deliver()

    async def _a_second_after_the_rollout(self) -> None:
        """Alerts come after what causes them; creations are stamped in whole seconds."""

        async def later() -> bool:
            found = await self.workload()
            if found["status"].get("observedGeneration") != found["metadata"]["generation"]:
                return False
            kept_in = "replicasets" if self.kind == "deployment" else "controllerrevisions"
            path = f"/apis/apps/v1/namespaces/{self.namespace}/{kept_in}"
            listed = json.loads((await self.kube.call("GET", path)).body)["items"]
            newest = max(each["metadata"]["creationTimestamp"] for each in listed)
            return self.daemon.clock.now() - datetime.fromisoformat(newest) > timedelta(seconds=2)

        await until(later, "the newest revision is two seconds old")

    async def resolve(self) -> None:
        """Everything that fired resolves now."""
        for alert in self.fired:
            self.alertmanager.resolve(alert)
        self.fired.clear()
        await self.deliver()

    async def deliver(self) -> None:
        """Alertmanager posts what is due; all of it must be acknowledged."""
        answers = await self.alertmanager.deliver(f"{self.url}/api/v1/alertmanager", token=TOKEN)
        assert [each.status for each in answers] == [200] * len(answers), answers

    async def run_in(self, *states: State, seconds: float = 60.0) -> RunSummary:
        """Wait until the newest run is in one of these states."""

        async def there() -> RunSummary | None:
            async with self.daemon.database.connection() as connection:
                newest = await runs.recent(connection, limit=1)
            return newest[0] if newest and newest[0].state in states else None

        try:
            found: RunSummary = await until(there, f"a run is {' or '.join(states)}", seconds=seconds)
        except AssertionError as reason:
            raise AssertionError(f"{reason}; the story so far:\n{await self.journal()}") from None
        return found

    async def journal(self) -> str:
        """What was seen, decided and done, for whoever reads a failed test."""
        async with self.daemon.database.connection() as connection:
            lines = await connection.fetch("select kind, text from journal order by id")
        return "\n".join(f"{line['kind']}: {line['text']}" for line in lines)

    async def attempts(self) -> list[Attempt]:
        """Every attempt of every run."""
        async with self.daemon.database.connection() as connection:
            found = []
            for run in reversed(await runs.recent(connection)):
                found.extend(await attempts.of_run(connection, run.id))
            return found


def workload(kind: str, template: dict[str, Any]) -> dict[str, Any]:
    """A Deployment, StatefulSet or DaemonSet `api` that the daemon may change by itself."""
    names = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
    of_kind: dict[str, dict[str, Any]] = {
        "deployment": {"replicas": 2, "progressDeadlineSeconds": 5},
        "statefulset": {"replicas": 2, "serviceName": "api"},
        "daemonset": {},
    }
    annotations = {
        "remediator.io/rollback": "compatible",
        "remediator.io/enabled": "act",
        "remediator.io/interruptible": "true",  # a DaemonSet of a cluster with one node has one pod
    }
    return {
        "apiVersion": "apps/v1",
        "kind": names[kind],
        "metadata": {"name": "api", "annotations": annotations},
        "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": template, **of_kind[kind]},
    }


def fully_rolled_out(found: dict[str, Any]) -> bool:
    """By what Kubernetes says, whatever the daemon thinks of it."""
    status = found.get("status", {})
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        return False
    if found["kind"] == "DaemonSet":
        counts = ("updatedNumberScheduled", "currentNumberScheduled", "numberAvailable")
        wanted = status["desiredNumberScheduled"]
    else:
        counts = ("updatedReplicas", "replicas", "availableReplicas")
        wanted = found["spec"]["replicas"]
    return wanted > 0 and all(status.get(name) == wanted for name in counts)


@asynccontextmanager
async def live(
    tmp_path: Path,
    database_url: str,
    kubeconfig: Path,
    kube: KubeConnection,
    namespace: str,
    releases: Releases,
    rules: str = RULES,
) -> AsyncIterator[Live]:
    """A running daemon for this namespace, with stand-ins for Alertmanager and Prometheus."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "rules.yaml").write_text(rules)
    clock = SystemClock()
    async with Alertmanager(clock=clock.now) as alertmanager, Prometheus(clock=clock.now) as prometheus:
        alertmanager.fire({"alertname": "Watchdog"})
        settings = Settings.model_validate(
            {
                "database_url": database_url,
                "rules": [tmp_path / "rules.yaml"],
                "listen_address": "127.0.0.1:0",
                "kubernetes": {"kubeconfig": kubeconfig, "namespaces": [namespace]},
                "alertmanagers": {"urls": [alertmanager.url]},
                "prometheus": {"url": prometheus.url},
                "intake": {"token_file": tmp_path / "token"},
                "probation": "0s",
                # Several workloads of one test may have an alert each.
                "storm": {"in_namespace": 20, "anywhere": 20},
                "engine": {
                    "tick": "200ms",
                    "memory_every": "1s",
                    "verify_every": "500ms",
                    "hold": "1s",
                    "settle": "1s",
                    "lease": "6s",
                },
            }
        )
        async with daemon_at_work(settings) as (daemon, url):
            yield Live(kube, namespace, releases, alertmanager, prometheus, daemon, url)


@asynccontextmanager
async def daemon_at_work(settings: Settings) -> AsyncIterator[tuple[Daemon, str]]:
    """A whole daemon, and the address it takes alerts at."""
    async with assembled(settings, SystemClock()) as daemon:
        await daemon.rules.reload()
        async with running(daemon) as url:
            yield daemon, url
