"""Stories: the trial's world, and the sentences it is told in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediator.clock import Clock
from remediator.domain.change import RESTARTED_AT
from remediator.store import incidents, journal, runs
from remediator.store.journal import Line
from remediator.store.runs import RunSummary
from remediator.trial.clock import DrivenClock
from remediator.trial.world import CHANGED, TOKEN, Given, World, standing

__all__ = ["ALERT", "CHANGED", "KIM", "RESTART", "ROLLBACK", "TOKEN", "Story", "deployment", "told"]

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
class Story(World):
    """The world of one test, and the sentences it is told in."""

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
            for each in self.changes()
            if each.after
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
    (tmp_path / "kim-of-the-story").write_text(KIM)
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "rules" / "story.yaml").write_text(rules)
    kim = {"name": "kim", "token_file": tmp_path / "kim-of-the-story", "roles": ["view", "operate"]}
    given = Given(
        [tmp_path / "rules"],
        {"people": [kim], **(settings or {})},
        namespaces,
        other_peers=other_peers,
        machine=machine,
    )
    async with standing(tmp_path, database_url, clock, given) as world:
        yield Story(**vars(world))
