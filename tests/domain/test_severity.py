"""How urgent an alert is: the words of its labels, and what the operator says instead."""

from collections.abc import Mapping

import pytest

from remediator.domain.matcher import parse_matchers
from remediator.domain.severity import USUAL, SeverityLine, severity_of
from remediator.errors import Permanent
from remediator.settings.load import Settings, load_settings


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"severity": "critical"}, "P1"),
        ({"severity": "page"}, "P1"),
        ({"severity": "Critical"}, "P1"),
        ({"severity": "warning"}, "P2"),
        ({"severity": "info"}, "P3"),
        ({"severity": "none"}, "P3"),
        ({"severity": "emergency"}, "P0"),
        ({"severity": "SEV-0"}, "P0"),
        ({"severity": "p3"}, "P3"),
        ({"sloth_severity": "page"}, "P1"),
        ({"sloth_severity": "ticket"}, "P2"),
        ({"sloth_severity": "page", "severity": "warning"}, "P2"),
        ({"grafana_slo_severity": "critical"}, "P1"),
        ({"severity": "criticality"}, "P2"),
        ({"alertname": "High"}, "P2"),
        ({}, "P2"),
    ],
)
def test_the_words_of_labels(labels: Mapping[str, str], expected: str) -> None:
    assert severity_of(labels) == expected


def test_the_first_line_of_the_operator_that_matches_decides() -> None:
    lines = [
        SeverityLine('{alertname="ServiceDown", namespace="shop"}', "P0"),
        SeverityLine('{namespace="shop"}', "P3"),
    ]
    down = {"alertname": "ServiceDown", "namespace": "shop", "severity": "warning"}
    assert severity_of(down, lines) == "P0"
    assert severity_of({**down, "alertname": "Slow"}, lines) == "P3"
    assert severity_of({**down, "namespace": "web"}, lines) == "P2"


def test_every_usual_line_is_a_matcher() -> None:
    assert all(parse_matchers(each.match) for each in USUAL)


def test_a_map_that_cannot_be_read_is_refused_with_its_place() -> None:
    given = {"severity_map": [{"match": ['{alertname="X"'], "severity": "P0"}]}
    with pytest.raises(Permanent, match=r'severity_map.0.match: .*alertname="X"'):
        load_settings(None, given, {})
    with pytest.raises(Permanent, match=r"severity_map\.0\.severity"):
        load_settings(None, {"severity_map": [{"match": ["{a=b}"], "severity": "P4"}]}, {})


def test_each_alternative_of_an_entry_counts() -> None:
    entry = {"match": ['{alertname="A"}', '{alertname="B"}'], "severity": "P0"}
    (read,) = Settings.model_validate({"severity_map": [entry]}).severity_map
    assert [severity_of({"alertname": each}, list(read.lines)) for each in "ABC"] == ["P0", "P0", "P2"]
