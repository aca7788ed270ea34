"""Rules that scale, in tests of rules: what is recorded is what the test's history shows."""

from pathlib import Path

import pytest

from tests.support.databases import Databases
from tests.trial.test_trials import Trial

RULE = """\
rules:
  - rule: load
    match: ['{alertname="Busy"}']
    guards: [promql: {query: busy_ratio, above: 0.5}]
    actions: [scale: {by: 2, up_to: 4}]
    verifications: [rollout_complete: {within: 5m}]
  - rule: switched-off
    match: ['{alertname="Down"}']
    actions: [scale]
    verifications: [rollout_complete: {within: 5m}]
"""
FACTS = """\
tests:
  - name: one
    workloads:
      - workload: deployment/shop/api
        replicas: 3
        autoscaler: SCALER
        revisions:
          - {image: 'api:v1', at: -3d}
    writes:
      - {at: -5m, to: deployment/shop/api, patch: {spec: {replicas: WANTED}}}
    alerts:
      - labels: {alertname: ALERT, namespace: shop, deployment: api}
"""
BUSY = "    metrics: [{query: busy_ratio, value: 0.9}]\n"
HPA = "{min: 1, max: 5}"


@pytest.mark.parametrize(
    ("alert", "wanted", "scaler", "expect"),
    [
        ("Busy", 3, "null", "{at: 0s, acts: 'scaling to 4'}"),
        ("Down", 0, "null", "{at: 0s, asks: scale, because: somebody scaled it down to 0}"),
        ("Busy", 3, HPA, "{at: 0s, ends: ESCALATED, because: HorizontalPodAutoscaler api says how many}"),
        ("Down", 0, HPA, "{at: 0s, ends: ESCALATED, because: scale deployment/api --replicas=3}"),
    ],
)
def test_a_scaling_is_expected_as_any_change(
    tmp_path: Path, databases: Databases, alert: str, wanted: int, scaler: str, expect: str
) -> None:
    facts = FACTS.replace("ALERT", alert).replace("WANTED", str(wanted)).replace("SCALER", scaler)
    facts += BUSY if alert == "Busy" else ""
    refused = "      - {at: 0s, refuses: autoscaled}\n" if scaler == HPA else ""
    _, differs = Trial(tmp_path, databases).play(facts, f"      - {expect}\n{refused}", rule=RULE)
    assert differs == []
