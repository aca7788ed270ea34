"""The worked example is in order, and its backend is not rolled back while what it calls outside is ill."""

from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from remediator.diagnostics.sql_query import SqlQuery
from remediator.rulebook.lint import lint
from remediator.rulebook.load import load, read
from remediator.sandbox.loopback_server import LoopbackServer
from remediator.settings.load import load_settings
from remediator.store import incidents
from tests.support.clock import DrivenClock
from tests.support.story import told
from tests.support.world import workload

EXAMPLE = Path(__file__).parents[2] / "rules" / "examples" / "smartcloudops"
RULES = EXAMPLE / "rules" / "smartcloudops.yaml"
SETTINGS = load_settings(EXAMPLE / "remediator.yml", {}, {})
BACKEND = "http://backend.smartcloudops.svc:5000"
NAMESPACE = "smartcloudops"


class Backend(LoopbackServer):
    """Well by itself; `outside` is the status of what it calls."""

    def __init__(self) -> None:
        super().__init__([web.get("/{path:.*}", self._health)])
        self.outside = 503

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=self.outside if request.path == "/health/external" else 200)


def test_the_example_is_fine_beside_the_shipped_rules_and_warns_of_nothing() -> None:
    files, problems = read([EXAMPLE / "rules"])
    assert (problems, lint(files, date(2026, 11, 27))) == ((), ())
    both = load([RULES.parents[3], EXAMPLE / "rules"])
    assert {"smartcloudops-bad-release", "high-error-rate"} <= {each.rule for each in both.rules}


def test_what_its_rules_ask_stands_in_its_settings() -> None:
    rulebook = load([EXAMPLE / "rules"])
    steps = [each for rule in rulebook.rules for each in (*rule.diagnostics, *rule.guards)]
    asked = {getattr(each, "url", None) or getattr(each, "http", None) for each in steps} - {None}
    assert f"{BACKEND}/health/external" in asked
    assert {urlsplit(str(each)).netloc for each in asked} <= set(SETTINGS.http_allow)
    (database,) = SETTINGS.databases
    queries = {each.query for each in steps if isinstance(each, SqlQuery)}
    assert queries == {each.name for each in database.queries}
    assert {database.server, *database.targets} <= {each.target for each in rulebook.targets}


async def test_the_backend_is_rolled_back_once_what_it_calls_outside_is_well(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with Backend() as backend:
        rules = RULES.read_text().replace(BACKEND, backend.url).replace("mode: shadow", "mode: act")
        rules = rules.replace("families: 'error|exception'", "families: error, between: 0s")
        map_of_example = [each.model_dump() for each in SETTINGS.severity_map]
        settings = {"http_allow": ["127.0.0.1"], "severity_map": map_of_example}
        async with told(tmp_path, database_url, clock, rules, settings, namespaces=(NAMESPACE,)) as story:
            for kind, name in (("Deployment", "backend"), ("StatefulSet", "postgresql")):
                made = workload(kind, name, annotations={"remediator.io/rollback": "compatible"})
                made["metadata"]["namespace"] = NAMESPACE
                made["spec"]["replicas"] = 2
                story.emulator.create(made)
            await story.soak(35 * 60)
            image = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
            story.emulator.patch("deployments", NAMESPACE, "backend", image, user="kim", manager="kubectl")
            await story.soak(4 * 60)
            # Nothing in these labels names a workload.
            story.alertmanager.fire({"alertname": "ServiceDown", "namespace": NAMESPACE, "job": "backend"})
            await story.deliver()
            await story.let(75)
            run = await story.run()
            assert (str(run.target), run.state) == ("deployment/smartcloudops/backend", "PROPOSED")
            assert "/health/external answered 503" in (run.why or "")
            assert story.effects() == []
            backend.outside = 200
            await story.let(60)
            assert story.effects() == ["app:v1"]
            async with story.daemon.database.connection() as connection:
                (incident,) = await incidents.recent(connection)
            assert incident.severity == "P0"
