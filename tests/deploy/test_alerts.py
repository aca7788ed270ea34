"""deploy/prometheus: alerts that the shipped rules are for, and alerts about remediator itself."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.domain.answers import Refusal
from remediator.rulebook.files import find_rule_files
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import Rule, RuleTarget
from remediator.run import State
from remediator.sandbox.kubernetes import Emulator
from remediator.settings.sections import MonitoringWorks
from remediator.store.database import Database
from remediator.verifications.promql import Promql
from tests.deploy.manifests import DEPLOY, ROOT, file
from tests.deploy.our_metrics import series_names
from tests.deploy.test_documents import section
from tests.support.clock import DrivenClock
from tests.support.world import a_world, workload

ALERTS = "prometheus/alerts.yml"
WATCHDOG = "prometheus/watchdog.yml"
OBJECTIVES = "prometheus/objectives.yml"
ABOUT_US = "prometheus/remediator-alerts.yml"
SHIPPED = (ALERTS, WATCHDOG, OBJECTIVES, ABOUT_US)
EXPECTED = sorted(Path(__file__).parent.glob("*.test.yml"))

TOLD = RuleTarget(
    match=(
        '{sloth_service=~"shop|checkout"}',
        '{alertname="PostgreSQLTooManyConnections"}',
        '{name="shop-tls"}',
    ),
    target="deployment/shop/checkout",
)
"""What an operator has to say, because the alerts carry no workload."""


def alerting(path: str) -> dict[str, dict[str, Any]]:
    """The alerts of one file, by name."""
    (document,) = file(path)
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"] if "alert" in rule}


def recorded(path: str) -> set[str]:
    """What the recording rules of one file make."""
    (document,) = file(path)
    return {rule["record"] for group in document["groups"] for rule in group["rules"] if "record" in rule}


def for_us() -> dict[str, dict[str, Any]]:
    """The alerts that are routed to remediator."""
    return {name: each for name, each in alerting(ALERTS).items() if "remediate" in each["labels"]}


def fired() -> Iterator[tuple[str, dict[str, str]]]:
    """The alerts that promtool sees firing, with all their labels."""
    for test in cases():
        for each in test.get("alert_rule_test", ()):
            for alert in each["exp_alerts"]:
                yield each["alertname"], {"alertname": each["alertname"], **alert["exp_labels"]}


def cases() -> Iterator[dict[str, Any]]:
    for path in EXPECTED:
        yield from yaml.safe_load(path.read_text())["tests"]


def rule_for(labels: dict[str, str]) -> Rule:
    (rule,) = Matching(Rulebook(rules=load([ROOT / "rules"]).rules)).rules_for(labels)
    return rule


def test_every_alert_is_seen_firing() -> None:
    assert {name for name, _ in fired()} == {name for path in SHIPPED for name in alerting(path)}


@pytest.mark.parametrize("name", sorted(name for path in SHIPPED for name in recorded(path)))
def test_what_every_recording_rule_makes_is_looked_at(name: str) -> None:
    asked = [each["expr"] for test in cases() for each in test.get("promql_expr_test", ())]
    assert any(re.search(rf"(?<![\w:]){name}(?![\w:])", each) for each in asked)


@pytest.mark.parametrize("path", [WATCHDOG, ABOUT_US])
def test_every_alert_is_also_seen_when_it_must_not_fire(path: str) -> None:
    """But for the one that always fires."""
    quiet = {
        each["alertname"]
        for test in cases()
        for each in test.get("alert_rule_test", ())
        if not each["exp_alerts"]
    }
    never = {"Watchdog", "RemediatorRulesNotReloaded", "RemediatorCouldNotKnow", "RemediatorOutcomeUnknown"}
    assert set(alerting(path)) - never <= quiet


async def test_every_alert_has_the_labels_that_one_shipped_rule_and_one_target_take(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    def populate(emulator: Emulator) -> None:
        for name in ("checkout", "search"):
            emulator.create(workload("Deployment", name))

    matching = Matching(Rulebook(targets=(TOLD,)))
    async with a_world(tmp_path, database, clock, populate) as world:
        for name, labels in fired():
            if name in for_us():
                assert rule_for(labels).rule
                found = await world.resolve(labels, *matching.targets_for(labels))
                assert not isinstance(found, Refusal), found
                assert str(found.target) in ("deployment/shop/checkout", "deployment/shop/search")


def test_every_file_of_shipped_rules_has_an_alert() -> None:
    reached = {rule_for(labels).rule for name, labels in fired() if name in for_us()}
    unreached = [
        path.name
        for path in find_rule_files([ROOT / "rules"])[0]
        if not reached & {rule.rule for rule in load([path]).rules}
    ]
    assert unreached == []


@pytest.mark.parametrize("name", ["HighErrorRate", "HighLatency"])
def test_a_verification_asks_for_what_the_alert_watches(name: str) -> None:
    (labels,) = [labels for fires, labels in fired() if fires == name]
    asked = [each for each in rule_for(labels).ladder[0].verifications if isinstance(each, Promql)]
    (below,) = [each.below for each in asked]
    (traffic,) = [each.traffic.above for each in asked if each.traffic is not None]
    thresholds = {float(number) for number in re.findall(r"> ([\d.]+)", alerting(ALERTS)[name]["expr"])}
    assert thresholds == {below, traffic}


def test_the_alert_that_always_fires_has_the_name_that_is_looked_for() -> None:
    assert alerting(WATCHDOG)[MonitoringWorks().watchdog]["expr"] == "vector(1)"


def test_alerts_about_remediator_ask_for_metrics_and_states_there_are() -> None:
    known = series_names()
    for name, alert in alerting(ABOUT_US).items():
        asked = set(re.findall(r"remediator_\w+", alert["expr"]))
        assert asked, name
        assert asked <= known, name
        assert set(re.findall(r'state="(\w+)"', alert["expr"])) <= set(State)


def test_there_are_eight_alerts_about_remediator_and_each_leads_to_what_to_do() -> None:
    runbook = section((ROOT / "docs" / "operating.md").read_text(), "Its own alarms")
    headings = re.findall(r"^### (\w+)$", runbook, re.MULTILINE)
    assert len(headings) <= 8
    assert headings == list(alerting(ABOUT_US))
    for name, alert in alerting(ABOUT_US).items():
        assert alert["annotations"]["runbook_url"] == f"docs/operating.md#{name.lower()}"


def test_nobody_asks_remediator_to_repair_itself() -> None:
    assert all("remediate" not in each["labels"] for each in alerting(ABOUT_US).values())


@pytest.mark.e2e
@pytest.mark.parametrize("path", SHIPPED)
def test_promtool_finds_nothing_to_complain_about(path: str) -> None:
    subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", DEPLOY / path], check=True)


@pytest.mark.e2e
@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name)
def test_the_alerts_fire_when_they_should_and_only_then(path: Path) -> None:
    subprocess.run(["promtool", "test", "rules", path], check=True)


@pytest.mark.e2e
def test_promtool_takes_the_whole_configuration(tmp_path: Path) -> None:
    """But for finding pods, which Debian's is built without."""
    (config,) = file("prometheus/prometheus.yml")
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs")
    config["rule_files"] = [str(DEPLOY / "prometheus" / each) for each in config["rule_files"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True)
