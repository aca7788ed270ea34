"""Alerts that no change cures: from Alertmanager's message to the hand-over, with all that shipped rules look at."""

from pathlib import Path

from remediator.rulebook.load import load
from remediator.store import journal
from tests.support.busy_postgres import execute
from tests.support.clock import DrivenClock
from tests.support.story import told
from tests.support.world import workload

RULES = Path(__file__).parents[2] / "rules"
FILES = ("database.yaml", "resources.yaml", "security.yaml")

ALERTS = {
    "database-down": {"alertname": "PostgreSQLDown", "statefulset": "postgresql", "severity": "critical"},
    "database-connections": {"alertname": "DatabaseConnectionsHigh", "deployment": "api"},
    "high-cpu": {"alertname": "HighCPUUsage", "deployment": "cart", "severity": "warning"},
    "high-memory": {"alertname": "ContainerMemoryNearLimit", "deployment": "mail", "severity": "warning"},
    "disk-filling-up": {"alertname": "DiskSpaceLow", "deployment": "search", "severity": "warning"},
    "failed-login-burst": {"alertname": "FailedLoginBurst", "deployment": "users", "severity": "warning"},
    "certificate-expiry": {"alertname": "CertificateExpiringSoon", "deployment": "web", "severity": "info"},
}
NOT_THERE = {"usage"}
"""Neither metrics.k8s.io nor cAdvisor's series are in this world."""


async def test_every_section_of_the_runbook_is_looked_at_and_handed_over(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    await execute(database_url, "create role onlooker login in role pg_monitor")
    (tmp_path / "dsn").write_text(database_url.replace("user=postgres", "user=onlooker"))
    database = {
        "name": "shop",
        "dsn_file": tmp_path / "dsn",
        "server": "statefulset/shop/postgresql",
        "targets": ["deployment/shop/api", "deployment/shop/search"],
    }
    settings = {"databases": [database], "storm": {"in_namespace": 20, "anywhere": 20}}
    (tmp_path / "rules").mkdir()
    text = {name: (RULES / name).read_text().replace("mode: shadow", "mode: act") for name in FILES}
    for name in FILES[1:]:
        (tmp_path / "rules" / name).write_text(text[name])
    rules = {each.rule: each for each in load([RULES / name for name in FILES]).rules}
    assert set(rules) == set(ALERTS)
    async with told(tmp_path, database_url, clock, text[FILES[0]], settings) as story:
        for each in ALERTS.values():
            kind, name = next((k, each[k]) for k in ("statefulset", "deployment") if k in each)
            labels = {"remediator.io/enabled": "true"}
            story.emulator.create(
                workload("StatefulSet" if kind == "statefulset" else "Deployment", name, labels=labels)
            )
        await story.soak(60)
        for each in ALERTS.values():
            story.alertmanager.fire({"namespace": "shop", **each})
        await story.deliver()
        await story.let(5 * 60 + 60, step=60)
        ended = {each.rule: each for each in await story.runs()}
        assert {name: each.state for name, each in ended.items()} == dict.fromkeys(ALERTS, "ESCALATED")
        assert story.changes() == []
        for name, run in ended.items():
            async with story.daemon.database.connection() as connection:
                lines = await journal.of_incident(connection, run.incident_id)
            seen = [each for each in lines if each.kind == "evidence" and each.run_id == run.id]
            assert [each.details["step"] for each in seen] == [each.key() for each in rules[name].diagnostics]
            failed = {each.details["step"]: each.text for each in seen if each.details["failed"]}
            assert failed.keys() <= NOT_THERE, (name, failed)
            told_of = " ".join(each.text for each in seen)
            assert ("answers in" in told_of) is (name in ("database-down", "database-connections"))
    await execute(database_url, "drop role onlooker")
