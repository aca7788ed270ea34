"""`rules check --live`: do the alerts, labels, routes, workloads and rights exist that rules rely on?"""

import json
from pathlib import Path
from typing import Any

import pytest

from remediator.cli.main import main
from remediator.clock import SystemClock
from remediator.doctor.routing import read_routing
from remediator.domain.matcher import parse_matchers
from remediator.sandbox.alertmanager_config import original
from remediator.sandbox.prometheus import Recorded
from tests.doctor.installation import RULES, Installation, Said, namespace
from tests.doctor.test_alertmanagers import PEOPLE, config

ALERTS = {"__name__": "ALERTS", "alertstate": "firing"}
SEEN = {"alertname": "HighErrorRate", "severity": "critical", "namespace": "shop", "deployment": "api"}
ASKS = "rule bad-release asks HighErrorRate for "
TARGETS = """
targets:
  - {match: ['{job="api"}'], target: deployment/shop/api}
"""


def seen(installation: Installation, **labels: str) -> None:
    """Prometheus has had this alert firing within the last month."""
    installation.prometheus.past.append(Recorded({**ALERTS, **SEEN, **labels}, [(SystemClock().now(), 1.0)]))


async def live(installation: Installation, rules: str = RULES) -> tuple[int, dict[str, list[Said]]]:
    """Exit status, and what each check found."""
    file = installation.directory / "mine.yaml"
    file.write_text(rules)
    status, out = await installation.command("rules", "check", str(file), "--live", "--output", "json")
    checks = json.loads(out)["checks"]
    return status, {
        each["check"]: [Said(one["level"], one["saw"], one["do"]) for one in each["findings"]]
        for each in checks
    }


async def test_rules_that_can_work_are_said_to(installation: Installation) -> None:
    seen(installation)
    status, found = await live(installation)
    assert {check: [each.level for each in said] for check, said in found.items()} == {
        "queries": ["ok"],
        "alerts": ["ok"],
        "labels": ["ok"],
        "routes": ["ok"],
        "databases": ["ok"],
        "workloads": ["ok"],
        "rights": ["ok"],
    }
    assert status == 0


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ('alertname="HighErrorRate", severity="critical"', None),
        ('alertname="HighErrorRate", severity=~"crit.*|page"', None),
        ('alertname="HighErrorRate", team=""', None),
        (
            'alertname="HighErrorRate", severty="critical"',
            ASKS + "severty=\"critical\", a label that none of them had: did you mean 'severity'?",
        ),
        (
            'alertname="HighErrorRate", severity="page"',
            ASKS + "severity=\"page\", but they had 'critical'",
        ),
        (
            'alertname="HighErrorRate", team="checkout"',
            ASKS + 'team="checkout", a label that none of them had: they have ' + ", ".join(sorted(SEEN)),
        ),
    ],
)
async def test_a_label_that_no_such_alert_has_is_named(
    installation: Installation, match: str, said: str | None
) -> None:
    seen(installation)
    rules = RULES.replace('alertname="HighErrorRate"', match)
    (finding,) = (await live(installation, rules))[1]["labels"]
    if said is None:
        assert finding.level == "ok"
    else:
        assert (finding.level, finding.saw) == ("warning", said)


async def test_labels_that_never_come_together_are_no_match(installation: Installation) -> None:
    seen(installation, severity="critical", team="pay")
    seen(installation, severity="warning", team="checkout")
    asked = 'alertname="HighErrorRate", severity="critical", team="checkout"'
    rules = RULES.replace('alertname="HighErrorRate"', asked)
    assert rules != RULES
    (finding,) = (await live(installation, rules))[1]["labels"]
    said = f"{ASKS}{asked}: each was seen, but never all of them on one alert"
    assert (finding.level, finding.saw) == ("warning", said)


async def test_the_labels_of_an_alert_that_never_fired_are_not_known(installation: Installation) -> None:
    (finding,) = (await live(installation))[1]["labels"]
    assert finding.level == "unknown"
    assert finding.saw.startswith("HighErrorRate did not fire in 30 days")


async def test_a_rule_whose_alerts_go_elsewhere_fails(installation: Installation) -> None:
    critical = {"receiver": "remediator", "matchers": ['severity="critical"'], "continue": True}
    installation.alertmanager.config = config(critical, PEOPLE)
    status, found = await live(installation, RULES.replace('Rate"', 'Rate", severity="page"'))
    (finding,) = found["routes"]
    assert (status, finding.level) == (1, "failed")
    assert 'rule bad-release: no route sends us {alertname="HighErrorRate", severity="page"}' in finding.saw
    (finding,) = (await live(installation))[1]["routes"]
    assert finding.level == "unknown", "the rule does not speak of severity"
    (finding,) = (await live(installation, RULES.replace('Rate"', 'Rate", severity="critical"')))[1]["routes"]
    assert finding.level == "ok"


@pytest.mark.parametrize(
    ("rules", "prepare", "level", "saw"),
    [
        (TARGETS + RULES, (), "failed", "targets: names deployment/shop/api, which does not exist"),
        (
            TARGETS + RULES,
            ("shop",),
            "warning",
            "deployment/shop/api: deployment api does not carry remediator.io/rollback=compatible",
        ),
        (TARGETS + RULES.replace("mode: act", "mode: shadow"), ("shop",), "ok", "every workload"),
        (
            TARGETS.replace("shop", "bank") + RULES,
            ("bank",),
            "warning",
            "namespace bank of deployment/bank/api has not opted in",
        ),
    ],
)
async def test_the_workloads_under_targets_are_looked_at(
    installation: Installation, rules: str, prepare: tuple[str, ...], level: str, saw: str
) -> None:
    installation.emulator.create(namespace("bank", opted_in=False))
    for each in prepare:
        installation.emulator.create(deployment(each))
    (finding,) = (await live(installation, rules))[1]["workloads"]
    assert finding.level == level
    assert saw in finding.saw


def deployment(within: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": within},
        "spec": {
            "selector": {"matchLabels": {"app": "api"}},
            "template": {
                "metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    }


async def test_people_and_pull_requests_are_told_as_well(installation: Installation) -> None:
    file = installation.directory / "mine.yaml"
    file.write_text(TARGETS + RULES)
    status, out = await installation.command("rules", "check", str(file), "--live")
    assert status == 1
    assert "1 rule in 1 file is fine" in out
    assert "failed   workloads  targets: names deployment/shop/api, which does not exist. Do: mend" in out
    _, out = await installation.command("rules", "check", str(file), "--live", "--output", "github")
    assert "::error::workloads: targets: names deployment/shop/api, which does not exist. Do: mend" in out


async def test_mistakes_in_the_files_come_first(installation: Installation) -> None:
    file = installation.directory / "mine.yaml"
    file.write_text("rules: [{rule: 5}]\n")
    status, out = await installation.command("rules", "check", str(file), "--live", "--output", "json")
    assert (status, "checks" in json.loads(out)) == (1, False)


def test_live_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(RULES)
    assert main(["rules", "check", str(file), "--live"]) == 1
    assert "--live needs --config.file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("routes", "line", "always", "perhaps"),
    [
        ([], '{alertname="X"}', {"people"}, {"people"}),
        ([{"receiver": "a", "matchers": ['x="1"']}], '{x="1"}', {"a"}, {"a"}),
        ([{"receiver": "a", "matchers": ['x="1"']}], '{x="2"}', {"people"}, {"people"}),
        ([{"receiver": "a", "matchers": ['x="1"']}], '{y="2"}', set(), {"a", "people"}),
        ([{"receiver": "a", "match": {"x": "1"}}], '{x=~"1|2"}', set(), {"a", "people"}),
        ([{"receiver": "a", "match_re": {"x": "1|2"}}], '{x=~"1|2"}', {"a"}, {"a"}),
        ([{"receiver": "a", "matchers": ['x!="1"']}], '{x="2"}', {"a"}, {"a"}),
        ([{"receiver": "a"}, {"receiver": "b"}], '{x="2"}', {"a"}, {"a"}),
        ([{"receiver": "a", "continue": True}, {"receiver": "b"}], '{x="2"}', {"a", "b"}, {"a", "b"}),
        (
            [{"receiver": "a", "matchers": ['y="1"']}, {"receiver": "b"}],
            '{x="2"}',
            set(),
            {"a", "b"},
        ),
        (
            [{"receiver": "a", "matchers": ['y="1"'], "continue": True}, {"receiver": "b"}],
            '{x="2"}',
            {"b"},
            {"a", "b"},
        ),
        (
            [{"matchers": ['x="2"'], "routes": [{"receiver": "a", "matchers": ['z="1"']}]}],
            '{x="2", z="1"}',
            {"a"},
            {"a"},
        ),
        # Alertmanager takes these; which alerts they select is not known here.
        ([{"receiver": "a", "matchers": [r'instance=~"db\d+.*"']}], '{x="1"}', set(), {"a", "people"}),
        ([{"receiver": "a", "matchers": ["foo='bar'"]}], '{x="1"}', set(), {"a", "people"}),
        ([{"receiver": "a", "matchers": ['y="1", y="2"']}], '{y="1"}', set(), {"a", "people"}),
        ([{"receiver": "a", "matchers": ["foo='bar'", 'x="2"']}], '{x="1"}', {"people"}, {"people"}),
    ],
)
def test_routes_are_followed_for_what_is_known(
    routes: list[dict[str, Any]], line: str, always: set[str], perhaps: set[str]
) -> None:
    routing = read_routing(original(config(*routes), "0.25.0"))
    assert tuple(map(set, routing.top.receivers_of(parse_matchers(line)))) == (always, perhaps)
