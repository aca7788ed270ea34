"""The alert sections of the runbook by the shipped rules, in real time, on the emulator or on a real cluster."""

import json

import pytest

from remediator.domain.target import Target
from remediator.run import State
from remediator.store import journal, runs
from tests.cluster.live import SOAK_SECONDS, Live, fully_rolled_out, workload
from tests.cluster.sections import asked_after, diagnostics_of, shipped_in_a_hurry
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SLO = {"sloth_service": "shop", "sloth_slo": "availability", "sloth_severity": "page"}
ROLLED_BACK = {
    "stuck-rollout": ("unpullable", "KubeDeploymentRolloutStuck", {}),
    "crash-loop": ("crashing", "KubePodCrashLooping", {}),
    "service-down": ("never_ready", "ServiceDown", {}),
    "high-error-rate": ("good", "HighErrorRate", {}),
    "high-latency": ("good", "HighLatency", {}),
    "slo-burn": ("good", "ShopBurnsItsBudget", SLO),
}
"""By rule: the release that is bad, unpullable, crashing, never ready, or well but failing its users; and the alert."""
HANDED_OVER = {
    "database-down": "PostgreSQLDown",
    "database-connections": "DatabaseConnectionsHigh",
    "high-cpu": "HighCPUUsage",
    "high-memory": "ContainerMemoryNearLimit",
    "disk-filling-up": "DiskSpaceLow",
    "failed-login-burst": "FailedLoginBurst",
    "certificate-expiry": "CertificateExpiringSoon",
}
IN_THE_CLUSTER = {"pods", "describe", "endpoints", "events", "nodes", "logs", "hpa", "rollout_history"}
"""What a look at these needs, and no cluster is without."""


@pytest.fixture
def rules() -> str:
    return shipped_in_a_hurry(SOAK_SECONDS)


@pytest.mark.parametrize("rule", ROLLED_BACK)
async def test_a_bad_release_is_rolled_back_and_verified(world: Live, rule: str) -> None:
    kind, alertname, labels = ROLLED_BACK[rule]
    api = Target(cluster="default", kind="deployment", namespace=world.namespace, name="api")
    for query, value in asked_after(rule, api, labels).items():
        world.prometheus.answer(query, value)
    await world.create(world.releases.good("v1"))
    await world.soaked()
    await world.release(getattr(world.releases, kind)("v2"))
    await world.fire(alertname, **labels)
    await world.run_in(State.ACTED)
    await world.resolve()
    run = await world.run_in(State.RESOLVED, State.ESCALATED, State.BLOCKED)
    assert (run.rule, run.state) == (rule, State.RESOLVED), run.why
    assert await world.version() == "v1"
    assert [each.outcome for each in await world.attempts()] == ["applied"]
    await world.rolled_out()


async def test_what_no_change_cures_is_looked_at_and_handed_over(world: Live) -> None:
    path = f"/apis/apps/v1/namespaces/{world.namespace}/deployments"
    for rule, alertname in HANDED_OVER.items():
        made = workload("deployment", world.releases.good("v1"))
        made["metadata"]["name"], made["spec"]["replicas"] = rule, 1
        made["spec"]["selector"] = {"matchLabels": {"app": rule}}
        made["spec"]["template"]["metadata"]["labels"] = {"app": rule}
        answer = await world.kube.call("POST", path, body=made)
        assert answer.status == 201, answer.body
        world.alertmanager.fire({"alertname": alertname, "namespace": world.namespace, "deployment": rule})

    async def up() -> bool:
        listed = json.loads((await world.kube.call("GET", path)).body)["items"]
        return all(fully_rolled_out({**each, "kind": "Deployment"}) for each in listed)

    await until(up, "every workload runs", seconds=120)
    await world.deliver()

    async def ended() -> dict[str, runs.RunSummary] | None:
        async with world.daemon.database.connection() as connection:
            found = {each.rule: each for each in await runs.recent(connection)}
        over = len(found) == len(HANDED_OVER) and {each.state for each in found.values()} == {State.ESCALATED}
        return found if over else None

    ran = await until(ended, "every run has ended", seconds=120)
    assert ran.keys() == HANDED_OVER.keys()
    assert await world.attempts() == []
    for rule, run in ran.items():
        async with world.daemon.database.connection() as connection:
            lines = await journal.of_incident(connection, run.incident_id)
        seen = {each.details["step"]: each for each in lines if each.kind == "evidence"}
        assert list(seen) == diagnostics_of(rule)
        failed = {step: each.text for step, each in seen.items() if each.details["failed"]}
        assert not failed.keys() & IN_THE_CLUSTER, json.dumps(failed)
