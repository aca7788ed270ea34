"""deploy/grafana: opens with the five numbers, and asks only for what is exported."""

import json
import re
import subprocess

import yaml

from remediator.doctor.metric_names import metric_names
from tests.deploy.dashboard import FILE, panels, queries
from tests.deploy.manifests import KUBECTL
from tests.deploy.our_metrics import series_names

FIRST = {
    "Armed": {"remediator_rule_mode"},
    "Why not armed": {"remediator_rule_mode", "remediator_cannot_act"},
    "Changes that held, of those of which it is known": {"remediator_changes"},
    "What became of changes": {"remediator_changes"},
    "Alert to effect": {"remediator_alert_to_effect_seconds"},
    "Alert to recovery (half were quicker)": {"remediator_alert_to_recovery_seconds"},
    "Alerts that ended": {"remediator_alerts_ended"},
    "Refusals: no, and could not know": {"remediator_guard_verdicts_total"},
    "The oldest stuck thing": {
        "remediator_oldest_unplanned_alert_seconds",
        "remediator_oldest_pending_approval_seconds",
        "remediator_oldest_undelivered_notice_seconds",
        "remediator_oldest_locked_target_seconds",
    },
}
"""Armed; what held; how quickly; refused; stuck."""


def test_every_query_asks_for_metrics_there_are() -> None:
    asked = {query: metric_names(query) for query in queries()}
    assert asked
    assert all(names and names <= series_names() for names in asked.values()), asked


def test_the_five_numbers_come_first() -> None:
    shown = {
        each["title"]: set().union(*(metric_names(one["expr"]) for one in each["targets"]))
        for each in panels()
    }
    assert list(shown)[: len(FIRST)] == list(FIRST)
    assert {title: shown[title] for title in FIRST} == FIRST
    assert [each["gridPos"]["y"] for each in panels()] == sorted(each["gridPos"]["y"] for each in panels())


def test_panels_lie_side_by_side_and_say_what_they_show() -> None:
    taken: dict[tuple[int, int], int] = {}
    for each in panels():
        assert each["description"]
        at = each["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24
                assert taken.setdefault((x, y), each["id"]) == each["id"]


def test_every_query_goes_to_the_chosen_prometheus() -> None:
    text = FILE.read_text()
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {"remediator", "${datasource}"}
    (variable,) = json.loads(text)["templating"]["list"]
    assert (variable["name"], variable["query"]) == ("datasource", "prometheus")


def test_the_config_map_holds_the_file() -> None:
    done = subprocess.run([KUBECTL, "kustomize", FILE.parent], check=True, capture_output=True, text=True)
    (made,) = yaml.safe_load_all(done.stdout)
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(made["data"][FILE.name]) == json.loads(FILE.read_text())
