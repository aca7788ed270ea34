"""What looking costs: every diagnostic of the cluster for a workload of 200 pods that wrote 100 MB of logs.

Each must answer within its deadline and within the bytes that are kept of it, and none may hold up the loop.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from remediator.diagnostics.config_changes import ConfigChanges
from remediator.diagnostics.describe import Describe
from remediator.diagnostics.endpoints import Endpoints
from remediator.diagnostics.hpa import Hpa
from remediator.diagnostics.logs import Logs
from remediator.diagnostics.nodes import Nodes
from remediator.diagnostics.related_alerts import RelatedAlerts
from remediator.diagnostics.rollout_history import RolloutHistory
from remediator.diagnostics.usage import Usage
from remediator.domain.value import canonical
from remediator.runbook.collect_diagnostics import MOST_BYTES
from remediator.step import Diagnostic
from remediator.store.database import open_database
from tests.diagnostics.looking import looked, pods_of, runs
from tests.diagnostics.test_usage import metrics_of
from tests.diagnostics.written import written
from tests.guards.facts import Facts, facts_of
from tests.support.clock import DrivenClock
from tests.support.databases import Databases, private_postgres
from tests.support.world import service

_PODS = 200
_LOG_BYTES = 100 * 2**20
_LINE = "ERROR order %d of customer 4711 was refused by 10.0.0.%d: connection reset by peer after 300 ms, trying again"
_LOOKS: tuple[Diagnostic, ...] = (
    Describe(),
    Endpoints(),
    Logs(tail=5000, previous=True, addresses=True),
    Usage(),
    Hpa(),
    Nodes(),
    RolloutHistory(),
    ConfigChanges(),
    RelatedAlerts(),
)


def main() -> None:
    """Print a line for each, and stop at the first that takes too long or brings too much."""
    with private_postgres() as server:
        databases = Databases(server)
        databases.make_templates()
        with databases.clone("driven") as dsn, tempfile.TemporaryDirectory() as directory:
            asyncio.run(_measured(Path(directory), dsn))


async def _measured(directory: Path, dsn: str) -> None:
    database = await open_database(dsn)
    try:
        async with facts_of(directory, database, DrivenClock(database), {}) as facts:
            await runs(facts, replicas=_PODS)
            await facts.clock.advance(600)
            await facts.emulator.catch_up()
            facts.emulator.create(service("api", app="api"))
            for pod in pods_of(facts):
                facts.emulator.create(metrics_of(pod, "100m", "64Mi"))
            for number in range(_PODS):
                facts.alertmanager.fire({"alertname": f"Alert{number}", "namespace": "shop"})
            lines = [_LINE % (number, number % 250) for number in range(_LOG_BYTES // _PODS // len(_LINE))]
            with written(facts.emulator, lines * _PODS):
                for each in _LOOKS:
                    await _looked(facts, each)
    finally:
        await database.close()


async def _looked(facts: Facts, diagnostic: Diagnostic) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    evidence = await looked(facts, diagnostic)
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    size, deadline = len(canonical(evidence.details)), diagnostic.deadline.total_seconds()
    print(
        f"diagnostics: {diagnostic.key()} in {seconds:.2f} s ({busy:.2f} s of CPU, emulator included; at most "
        f"{deadline:g} s), {size} bytes (at most {MOST_BYTES}): {evidence.summary[:90]}"
    )
    assert not evidence.failed, evidence.summary
    assert seconds < deadline
    assert size <= MOST_BYTES


if __name__ == "__main__":
    main()
