"""Who watches remediator: is it scraped, are its alerts there, and do they reach people?"""

from typing import Any

import pytest

from remediator.doctor.alarms import ALARMS, _routed
from remediator.doctor.alertmanagers import _reaches
from remediator.doctor.routing import read_routing
from remediator.sandbox.alertmanager_config import original
from tests.deploy.manifests import file
from tests.doctor.installation import Installation
from tests.doctor.test_alertmanagers import OURS, PEOPLE, config

PAGES = {"name": "people", "pagerduty_configs": [{"routing_key": "x"}]}
ITSELF: dict[str, Any] = {"receiver": "people", "matchers": ['alertname=~"Remediator.+"']}


def test_the_alarms_are_those_that_are_shipped() -> None:
    (document,) = file("prometheus/remediator-alerts.yml")
    assert tuple(each["alert"] for group in document["groups"] for each in group["rules"]) == ALARMS


async def test_what_lacks_in_prometheus_is_said(installation: Installation) -> None:
    installation.prometheus.metrics.discard("remediator_build_info")
    installation.prometheus.rules = [
        each for each in installation.prometheus.rules if each.name != "RemediatorDown"
    ]
    (scraped, ruled) = await installation.finds("alarms")
    assert scraped.saw == "there is no series of remediator_build_info: Prometheus does not scrape us"
    assert ruled.saw.startswith("Prometheus has no alerting rule called RemediatorDown: ")
    assert (scraped.level, ruled.level) == ("warning", "warning")


@pytest.mark.parametrize(
    ("routes", "people", "said"),
    [
        ([OURS, PEOPLE], PAGES, []),
        ([ITSELF, {"receiver": "remediator", "continue": True}, PEOPLE], PAGES, []),
        (
            [{"receiver": "remediator", "continue": True}, PEOPLE],
            PAGES,
            ["alerts about remediator itself go to remediator, which does not repair itself"],
        ),
        (
            [{**OURS, "matchers": ['severity=~"warning|critical"']}],
            PAGES,
            [
                "alerts about remediator itself go to remediator, which does not repair itself",
                "alerts about remediator itself go to nobody else",
            ],
        ),
        (
            [OURS],
            {"name": "people"},
            ["alerts about remediator itself go to people, which tells nobody"],
        ),
        ([OURS, {"receiver": "x", "matchers": ['team="x"']}, PEOPLE], PAGES, []),
    ],
)
def test_where_alerts_about_remediator_go(
    routes: list[dict[str, Any]], people: dict[str, Any], said: list[str]
) -> None:
    given = config(*routes)
    given["receivers"][0] = people
    found = list(_routed(read_routing(original(given, "0.25.0"))))
    assert [each.saw for each in found] == said


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([OURS, PEOPLE], None),
        ([ITSELF, OURS, PEOPLE], None),
        ([OURS, {"receiver": "people", "matchers": ['severity="critical"']}], "may reach nobody else"),
        ([OURS, {"receiver": "people", "matchers": ['remediate="true"']}], None),
        (
            [{**OURS, "matchers": ['remediate="true"', 'namespace="x"']}, PEOPLE],
            'only alerts with namespace="x"',
        ),
        (
            [{**OURS, "matchers": ['remediate="true"', 'namespace!=""']}, PEOPLE],
            'only alerts with namespace!=""',
        ),
        ([{**OURS, "matchers": ['remediate="true"', 'namespace!="x"']}, PEOPLE], None),
        (
            [{"matchers": ['namespace="x"'], "continue": True, "routes": [OURS]}, PEOPLE],
            'only alerts with namespace="x"',
        ),
        ([{**OURS, "matchers": ['namespace="x"']}, OURS, PEOPLE], None),
    ],
)
def test_what_a_route_keeps_away_is_said(routes: list[dict[str, Any]], said: str | None) -> None:
    found = [each.saw for each in _reaches(read_routing(original(config(*routes), "0.25.0")), insecure=False)]
    lacks = [each for each in found if "leads there" not in each and "reaches nobody else" not in each]
    assert len(lacks) == (0 if said is None else 1), lacks
    assert said is None or said in lacks[0]


def test_a_hidden_receiver_is_ours_by_its_own_name_not_by_the_namespace_before_it() -> None:
    ours = "monitoring/remediator/remediator"
    given = config({**OURS, "receiver": ours}, PEOPLE)
    given["receivers"][1]["name"] = ours
    chat = {"name": "remediator/team/chat", "webhook_configs": [{"url": "http://chat.example/"}]}
    given["receivers"].append(chat)
    routing = read_routing(original(given, "0.28.0"))
    assert [each.receiver for each in routing.ours] == [ours]
