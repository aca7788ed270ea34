"""The whole way with the real Prometheus and Alertmanager: nothing is told to fire or to resolve, it just happens."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediator.sandbox.postgres import PostgresServer
from remediator.store.migrate import migrate
from tests.deploy import dashboard
from tests.e2e.monitoring import ERROR_RATIO, Ports, Service, ready, real_monitoring, without_answer
from tests.processes.daemons import SOAK_SECONDS, Scene, scene
from tests.support.databases import private_postgres
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

RULES = f"""
rules:
  - rule: bad-release
    mode: act
    match: ['{{alertname="HighErrorRate", severity="critical"}}']
    diagnostics: [pods, events, logs, rollout_history]
    actions:
      - rollback: {{soak: {SOAK_SECONDS}s}}
    verifications:
      - rollout_complete: {{within: 1m}}
      - promql: {{query: '{ERROR_RATIO}', below: 0.05, for: 2s, within: 1m}}
      - alert_cleared: {{for: 1s, within: 2m}}
"""


@dataclass
class World:
    """A shop under real monitoring."""

    scene: Scene
    ports: Ports
    postgres: PostgresServer

    def image(self) -> str:
        """What the emulated Deployment asks for now."""
        found = self.scene.emulator.get("deployments", "shop", "api")
        if found is None:
            return "none"
        image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
        return image

    def release(self, image: str) -> None:
        """Somebody rolls out another image."""
        change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
        self.scene.emulator.patch("deployments", "shop", "api", change, user="somebody", manager="kubectl")


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server of this test's own: it is stopped and started again."""
    with private_postgres(durable=True) as server:
        yield server


@pytest.fixture
async def world(
    tmp_path: Path, postgres: PostgresServer, new_port: Callable[[], int]
) -> AsyncIterator[World]:
    """PostgreSQL, the emulator, Prometheus, Alertmanager and the service; the daemon is the test's to start."""
    dsn = postgres.dsn("postgres")
    await migrate(dsn)
    ports = Ports(*(new_port() for _ in range(4)))
    async with scene(tmp_path, dsn) as made:
        (tmp_path / "rules.yaml").write_text(RULES)
        made.alertmanager_url = f"http://127.0.0.1:{ports.alertmanager}"
        made.prometheus_url = f"http://127.0.0.1:{ports.prometheus}"
        here = World(made, ports, postgres)
        service = Service(lambda: 0.3 if here.image() == "app:v2" else 0.0)
        with real_monitoring(tmp_path, ports, tmp_path / "token"):
            async with service.listening(ports.service):
                await ready(made.alertmanager_url)
                await ready(made.prometheus_url)
                yield here


async def test_a_bad_release_fires_is_rolled_back_resolves_by_itself_and_is_on_the_dashboard(
    world: World,
) -> None:
    with world.scene.daemon(world.ports.daemon) as daemon:
        await daemon.ready()
        await world.scene.soaked()
        world.release("app:v2")
        run = await daemon.run_in("RESOLVED", "BLOCKED", "ESCALATED", "UNKNOWN")
        assert run["state"] == "RESOLVED", run["why"]
        await shown(world, dashboard.queries("10s"))
    assert world.scene.effects() == ["app:v1"]
    assert world.image() == "app:v1"


async def shown(world: World, queries: list[str]) -> None:
    """Prometheus has an answer to each; the gauges look at the database every 15 s, at whole weeks every minute."""
    assert len(queries) > 20
    left = queries

    async def all_answered() -> bool:
        nonlocal left
        left = await without_answer(f"http://127.0.0.1:{world.ports.prometheus}", left)
        return not left

    try:
        await until(all_answered, "every query of the dashboard has an answer", seconds=100, every=1)
    except AssertionError as late:
        raise AssertionError(f"nothing is answered to {left}") from late


async def test_an_alert_that_fires_while_postgresql_is_down_is_not_lost(world: World, tmp_path: Path) -> None:
    with world.scene.daemon(world.ports.daemon) as daemon:
        await daemon.ready()
        await world.scene.soaked()
        world.postgres.stop("immediate")
        world.release("app:v2")

        async def turned_away() -> bool:
            return b"503" in (tmp_path / "alertmanager.log").read_bytes()

        await until(turned_away, "Alertmanager was answered 503", seconds=45)
        assert daemon.process.poll() is None
        world.postgres.start()
        run = await daemon.run_in("RESOLVED", "BLOCKED", "ESCALATED", "UNKNOWN")
        assert run["state"] == "RESOLVED", run["why"]
    assert world.scene.effects() == ["app:v1"]
