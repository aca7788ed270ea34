"""Alertmanager: does it answer, route to us, deliver, and have a fresh Watchdog?"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.doctor.alertmanagers import _reaches
from remediator.doctor.routing import INTAKE, read_routing
from remediator.errors import Permanent
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.alertmanager_config import original
from remediator.sandbox.alertmanager_webhook import Alert
from remediator.web.server import _INTAKE_PATHS
from tests.doctor.installation import RULES, Installation

RECORDED = Path(__file__).parents[1] / "recordings" / "alertmanager" / "status-0.25.json"
URL = f"http://remediator:9095{INTAKE}"
ALERT = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}


LEADS = f"ok: receiver remediator posts to remediator:9095{INTAKE}; the route "


def config(*routes: dict[str, Any], url: str = URL, **webhook: Any) -> dict[str, Any]:
    """An alertmanager.yml with these routes, and a webhook that is right unless a test says otherwise."""
    right = {"url": url, "http_config": {"authorization": {"credentials_file": "/token"}}}
    return {
        "route": {"receiver": "people", "group_by": ["alertname"], "routes": list(routes)},
        "receivers": [{"name": "people"}, {"name": "remediator", "webhook_configs": [{**right, **webhook}]}],
    }


OURS: dict[str, Any] = {"receiver": "remediator", "matchers": ['remediate="true"'], "continue": True}
PEOPLE: dict[str, Any] = {"receiver": "people"}


def judged(given: dict[str, Any], version: str = "0.25.0", *, insecure: bool = False) -> list[str]:
    found = _reaches(read_routing(original(given, version)), insecure)
    return [f"{each.level}: {each.saw}" for each in found]


def test_the_standin_shows_a_configuration_as_a_real_alertmanager_did() -> None:
    recorded = json.loads(RECORDED.read_text())
    real = yaml.safe_load(recorded["answer"]["config"]["original"])
    ours = yaml.safe_load(original(recorded["given"], recorded["answer"]["versionInfo"]["version"]))
    assert ours["route"] == real["route"]
    assert ours["receivers"] == real["receivers"]
    assert ours["global"]["http_config"] == real["global"]["http_config"]


def test_what_a_real_alertmanager_showed_is_read() -> None:
    routing = read_routing(json.loads(RECORDED.read_text())["answer"]["config"]["original"])
    (ours,) = routing.ours
    assert ours.place == f"127.0.0.1:9095{INTAKE}"  # without user, password and query
    assert (ours.max_alerts, ours.has_credentials, ours.send_resolved) == (3, True, True)
    assert [(each.receiver, each.matchers, each.group_by) for each in routing.routes] == [
        ("nobody", "", ("alertname",)),
        ("remediator", 'severity="critical"', ("alertname", "namespace", "deployment")),
        ("nobody", 'team="x", foo=~"a.*"', ("alertname", "namespace", "deployment")),
        ("remediator", 'a=~"b.*"', ("...",)),
    ]


def test_the_path_is_that_of_the_intake() -> None:
    assert _INTAKE_PATHS[0] == INTAKE
    for path in _INTAKE_PATHS:
        given = config(OURS, PEOPLE, url="http://any:1" + path.replace("{source}", "eu"))
        assert read_routing(original(given, "0.25.0")).ours


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            config(OURS, PEOPLE),
            [LEADS + '{remediate="true"} leads there'],
        ),
        (config(PEOPLE), ["failed: no route leads to the receiver remediator"]),
        (config(PEOPLE, OURS), ["failed: no route leads to the receiver remediator"]),
        (
            config(OURS, PEOPLE, url="http://remediator:9095/webhook"),
            ["failed: no receiver posts to /api/v1/alertmanager"],
        ),
        (
            config(OURS, PEOPLE, url="http://remediator:9095/v1/api/v1/alertmanager/x/y"),
            ["failed: no receiver posts to /api/v1/alertmanager"],
        ),
    ],
)
def test_whether_a_route_leads_to_us(given: dict[str, Any], said: list[str]) -> None:
    assert judged(given) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            config(OURS, PEOPLE, send_resolved=False),
            "failed: receiver remediator never tells when an alert is over",
        ),
        (
            config(OURS, PEOPLE, max_alerts=5),
            "warning: receiver remediator cuts groups to 5 alerts, perhaps those that still fire",
        ),
        (
            config(OURS, PEOPLE, http_config={"follow_redirects": False}),
            "failed: receiver remediator shows no credentials: every alert it posts is refused",
        ),
        (
            config(OURS, PEOPLE, http_config={"tls_config": {"cert_file": "/crt", "key_file": "/key"}}),
            "failed: receiver remediator shows no credentials: every alert it posts is refused",
        ),
        (
            config({**OURS, "continue": False}, PEOPLE),
            'warning: what the route {remediate="true"} sends to remediator reaches nobody else',
        ),
        (
            config({"receiver": "people", "matchers": ["a=b"], "continue": True}, OURS),
            'warning: what the route {remediate="true"} sends to remediator reaches nobody else',
        ),
        (
            {**config(), "route": {"receiver": "people", "routes": [OURS, PEOPLE]}},
            'warning: the route {remediate="true"} puts all alerts into one group',
        ),
    ],
)
def test_what_a_route_or_receiver_lacks_is_said_beside(given: dict[str, Any], said: str) -> None:
    (leads, lacks) = judged(given)
    assert leads.startswith("ok: ")
    assert lacks == said


def test_an_intake_that_takes_everybody_needs_no_credentials() -> None:
    given = config(OURS, PEOPLE, http_config={"follow_redirects": False})
    assert len(judged(given, insecure=True)) == 1


def test_the_receiver_of_a_parent_and_global_credentials_are_inherited() -> None:
    given = config(
        {**OURS, "routes": [{"matchers": ["a=b"], "continue": True}, {"matchers": ["c=d"]}]}, PEOPLE
    )
    del given["receivers"][1]["webhook_configs"][0]["http_config"]
    given["global"] = {"http_config": {"authorization": {"credentials_file": "/token"}}}
    said = judged(given)
    assert said[0].count("the route") == 3
    assert not [each for each in said if "credentials" in each]


def test_an_address_that_is_hidden_is_unknown_and_a_name_of_ours_is_followed() -> None:
    (told,) = judged(config(OURS, PEOPLE), "0.28.1")
    assert told.startswith('unknown: the route {remediate="true"} leads to the receiver remediator')
    other = config(OURS, PEOPLE)
    other["receivers"][1]["name"] = "hooks"
    other["route"]["routes"] = [{**OURS, "receiver": "hooks"}, PEOPLE]
    (told,) = judged(other, "0.28.1")
    assert told == "unknown: it hides the addresses of webhooks, and no receiver is called remediator: hooks"
    nobody = {**other, "receivers": [{"name": "people"}]}
    assert judged(nobody, "0.28.1") == [f"failed: no receiver posts to {INTAKE}"]


@pytest.mark.parametrize("text", ["", "[]", "route: 1", "{", "receivers: [1]\nroute: {receiver: x}"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match="cannot be read"):
        read_routing(text)


async def test_a_newer_alertmanager_is_judged_by_what_it_delivers(installation: Installation) -> None:
    """It hides its addresses; what it says it sent, and what came, does not lie."""
    async with Alertmanager(clock=installation.alertmanager_clock.now, version="0.28.1") as newer:
        installation.settings["alertmanagers"]["urls"].append(newer.url)
        now = installation.alertmanager_clock.now()
        newer.fire(ALERT, starts_at=now - timedelta(minutes=20))
        newer.fire({**ALERT, "deployment": "young"}, starts_at=now)
        newer.fire(
            {**ALERT, "deployment": "theirs"}, starts_at=now - timedelta(hours=1), receivers=["people"]
        )
        status, found = await installation.found()
        (lost,) = [each for each in found["delivery"] if each.level == "failed"]
        assert f"{newer.url} has 1 firing for us that never came, such as HighErrorRate" in lost.saw
        assert [each.level for each in found["routing"]] == ["ok", "unknown"]
        assert status == 1
        await installation.arrived(Alert(ALERT, starts_at=now).fingerprint)
        assert {each.level for each in await installation.finds("delivery")} == {"ok"}


async def test_when_no_alert_ever_came_that_is_said(installation: Installation, database_url: str) -> None:
    installation.settings["database_url"] = database_url
    assert [each[:2] for each in await installation.finds("delivery")] == [
        ("warning", "no alert has ever come")
    ]


async def test_one_peer_of_two_that_is_down_is_named(installation: Installation) -> None:
    async with Alertmanager(clock=installation.alertmanager_clock.now) as other:
        installation.settings["alertmanagers"]["urls"].append(other.url)
        await other.stop()
        status, found = await installation.found()
    assert [each.level for each in found["alertmanagers"]] == ["ok", "failed"]
    assert other.url in found["alertmanagers"][1].saw
    assert [each.level for each in found["watchdog"]] == ["ok", "unknown"]
    assert status == 1


async def test_a_peer_that_is_not_configured_is_missed(installation: Installation) -> None:
    installation.alertmanager.peers = ("10.0.0.1:9094", "10.0.0.2:9094")
    (only,) = await installation.finds("alertmanagers")
    assert only.level == "warning"
    assert "2 peers, of which 1 are configured" in only.saw


async def test_something_that_is_no_alertmanager_is_said(installation: Installation) -> None:
    installation.settings["alertmanagers"]["urls"] = [installation.prometheus.url]
    (only,) = await installation.finds("alertmanagers")
    assert only.level == "failed"


async def test_a_stale_watchdog_is_as_bad_as_none(installation: Installation) -> None:
    installation.alertmanager_clock.wrong_by = timedelta(minutes=-10)
    (only,) = await installation.finds("watchdog")
    assert only.level == "failed"
    assert "is 10m" in only.saw


async def test_a_silenced_watchdog_does_not_count(installation: Installation) -> None:
    installation.alertmanager.silence({"alertname": "Watchdog"})
    (only,) = await installation.finds("watchdog")
    assert (only.level, only.do) == ("failed", "end the silence")
    assert "is silenced or inhibited: nothing is changed without it" in only.saw


async def test_a_watchdog_that_a_rule_names_is_looked_for_beside_that_of_the_settings(
    installation: Installation,
) -> None:
    rules = RULES.replace("- alert_cleared", "- alert_cleared: {watchdog: DeadMansSwitch}")
    (installation.directory / "rules.yaml").write_text(rules)
    (named, of_settings) = await installation.finds("watchdog")
    assert (named.level, named.saw.partition(" at ")[0]) == ("failed", "DeadMansSwitch does not fire")
    assert (
        named.do == "load an alerting rule DeadMansSwitch that always fires, and send its alerts to this peer"
    )
    assert (of_settings.level, of_settings.saw.partition(" at ")[0]) == ("ok", "Watchdog is fresh")
    installation.alertmanager.fire({"alertname": "DeadMansSwitch"}, receivers=["people"])
    named = (await installation.finds("watchdog"))[0]
    assert (named.level, named.saw.partition(" at ")[0]) == ("ok", "DeadMansSwitch is fresh")


async def test_each_watchdog_of_the_rules_is_looked_for_on_every_rung(installation: Installation) -> None:
    another = """
  - rule: another
    match: ['{alertname="HighErrorRate"}']
    rungs:
      - actions: [rollback]
        verifications: [rollout_complete]
      - actions: [restart]
        verifications: [{alert_cleared: {watchdog: DeadMansSwitch}}]
"""
    (installation.directory / "rules.yaml").write_text(RULES + another)
    found = await installation.finds("watchdog")
    assert [each.saw.partition(" at ")[0] for each in found] == [
        "DeadMansSwitch does not fire",
        "Watchdog is fresh",
    ]


async def test_a_query_may_stand_in_for_the_watchdog(installation: Installation) -> None:
    installation.settings["monitoring"] = {"substitute": {"promql": "up"}}
    installation.alertmanager.resolve({"alertname": "Watchdog"})
    assert [each.level for each in await installation.finds("watchdog")] == ["unknown"]
    installation.prometheus.answer("up", 0)
    assert [each.level for each in await installation.finds("watchdog")] == ["failed"]
    installation.prometheus.answer("up", 1)
    assert [each.level for each in await installation.finds("watchdog")] == ["ok"]
