"""`rules explain`: what rule files make of an alert, as a person reads it. The texts stand in explained/."""

import json
from pathlib import Path

import pytest

from remediator.errors import Permanent
from tests.rulebook.test_rules_command import run

EXPLAINED = Path(__file__).parent / "explained"
RULES = """\
targets:
  - {match: ['{service="checkout"}'], target: deployment/shop/checkout, depends_on: [statefulset/shop/postgresql]}
  - {match: ['{team="pay"}'], target: deployment/shop/pay}
rules:
  - rule: bad-release
    mode: act
    priority: 10
    wait: 2m
    match: ['{alertname="HighErrorRate", severity=~"critical|page"}', '{alertname="SloBurn"}']
    diagnostics: [pods, logs: {tail: 50}]
    guards: [limit: {effects: 1, per: 6h, of: target}, cooldown: {for: 1h}, min_replicas: 2]
    rungs:
      - {actions: [restart], verifications: [rollout_complete]}
      - {actions: [rollback], verifications: [rollout_complete, alert_cleared: {for: 5m}]}
  - rule: errors-again
    mode: ask
    match: ['{alertname="HighErrorRate"}']
    actions: [rollback]
    verifications: [alert_cleared]
  - rule: watched
    match: ['{severity!="info", alertname=~"High.*"}']
    actions: [restart]
    verifications: [alert_cleared]
  - {rule: asleep, mode: off, match: ['{alertname="HighErrorRate"}']}
  - rule: look-only
    match: ['{alertname="DiskFull"}']
    diagnostics: [events]
    otherwise: {hand_over: [back_up_database, set_resources]}
"""
ALERTS = {
    "acts": "labels: {alertname: HighErrorRate, severity: page, service: checkout}",
    "joins-nobody": "labels: {alertname: HighErrorRate, namespace: shop, pod: api-7d4b9-x2x4z, severity: warning}",
    "watched": "{alertname: HighLatency, namespace: shop, deployment: api}",
    "looks-only": "alert: {labels: {alertname: DiskFull, instance: '10.0.0.1:9100', job: node-exporter}}",
    "nothing": "labels: {alertname: Watchdog}",
    "entry-and-another": "labels: {alertname: SloBurn, service: checkout, namespace: shop, statefulset: db}",
    "entry-and-two": "labels: {alertname: SloBurn, service: checkout, namespace: shop, deployment: a, statefulset: b}",
    "entry-and-pod": "labels: {alertname: SloBurn, service: checkout, namespace: shop, pod: checkout-1, enabled: yes}",
    "two-candidates": "labels: {alertname: SloBurn, service: checkout, team: pay}",
    "no-namespace": "labels: {alertname: SloBurn, deployment: api}",
}


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = Path("rules.yaml")
    file.write_text(RULES)
    return file


@pytest.mark.parametrize("name", ALERTS)
def test_what_is_made_of_an_alert(rules: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("alert.yaml").write_text(ALERTS[name])
    status = run("explain", str(rules), "--alert", "alert.yaml")
    assert status == (1 if name == "nothing" else 0)
    assert capsys.readouterr().out == (EXPLAINED / f"{name}.txt").read_text()


def test_every_alert_of_a_webhook_message_is_explained_to_programs(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = {
        "version": "4",
        "alerts": [{"labels": {"alertname": "DiskFull"}}, {"labels": {"alertname": "X"}}],
    }
    Path("message.json").write_text(json.dumps(message))
    assert run("explain", str(rules), "--alert", "message.json", "--output", "json") == 0
    first, second = json.loads(capsys.readouterr().out)["alerts"]
    assert [each["rule"] for each in first["matching"]] == ["look-only"]
    assert (second["matching"], len(second["others"])) == ([], 5)


def test_only_the_nearest_rules_are_told_unless_all_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"  - {{rule: r{number}, match: ['{{alertname=\"A{number}\"}}']}}\n" for number in range(20)]
    (tmp_path / "rules.yaml").write_text("rules:\n" + "".join(lines))
    (tmp_path / "alert.yaml").write_text("{alertname: A3}")
    asked = [
        "explain",
        str(tmp_path / "rules.yaml"),
        "--alert",
        str(tmp_path / "alert.yaml"),
        "--output",
        "json",
    ]
    assert run(*asked) == 0
    assert len(json.loads(capsys.readouterr().out)["alerts"][0]["others"]) == 5
    assert run(*asked, "--all") == 0
    assert len(json.loads(capsys.readouterr().out)["alerts"][0]["others"]) == 19


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "neither YAML nor JSON"),
        ("- 5", "holds no labels"),
        ("labels: {}", "holds no labels"),
        ("labels: x", "holds no labels"),
        ("alerts: [{labels: {alertname: X}}, 7]", "holds no labels"),
        (None, "cannot be read"),
        ("labels: {a: " + "x" * 2**20 + "}", "more than 1,048,576 characters"),
    ],
)
def test_what_is_no_alert_is_said_plainly(rules: Path, text: str | None, why: str) -> None:
    if text is not None:
        Path("alert.yaml").write_text(text)
    with pytest.raises(Permanent, match=why):
        run("explain", str(rules), "--alert", "alert.yaml")
