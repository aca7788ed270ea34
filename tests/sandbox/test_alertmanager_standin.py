"""The Alertmanager stand-in answers its API as a real one does."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.alertmanager_webhook import Alert

NOON = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
API = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}
WEB = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "web"}
DISK = {"alertname": "DiskFull", "instance": "node-1:9100"}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> None:
        self.now += timedelta(**units)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def alertmanager(clock: Clock) -> AsyncIterator[Alertmanager]:
    async with Alertmanager(clock=clock) as alertmanager:
        yield alertmanager


async def get(alertmanager: Alertmanager, path: str, *query: tuple[str, str]) -> tuple[int, Any]:
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(alertmanager.url + path, params=list(query)) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if response.content_type == "application/json" else text


async def listed(alertmanager: Alertmanager, *query: tuple[str, str]) -> list[str]:
    """The workloads, else the names, of the alerts that the API lists."""
    status, answer = await get(alertmanager, "/api/v2/alerts", *query)
    assert status == 200
    return sorted(alert["labels"].get("deployment", alert["labels"]["alertname"]) for alert in answer)


async def test_a_listed_alert_has_the_shape_of_a_real_one(alertmanager: Alertmanager, clock: Clock) -> None:
    silence = alertmanager.silence({"deployment": "api"})
    alertmanager.fire(API, annotations={"s": "a < b"}, generator_url="http://prometheus/x?a&b")
    clock.advance(seconds=90)
    assert await get(alertmanager, "/api/v2/alerts") == (
        200,
        [
            {
                "annotations": {"s": "a < b"},
                "endsAt": "2026-11-24T12:05:30.250Z",
                "fingerprint": Alert(API, starts_at=NOON).fingerprint,
                "receivers": [{"name": "remediator"}],
                "startsAt": "2026-11-24T12:00:00.250Z",
                "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [silence], "state": "suppressed"},
                "updatedAt": "2026-11-24T12:01:30.250Z",
                "generatorURL": "http://prometheus/x?a&b",
                "labels": API,
            }
        ],
    )


async def test_an_alert_that_ended_is_not_listed(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API)
    alertmanager.fire(WEB)
    alertmanager.resolve(API)
    assert await listed(alertmanager) == ["web"]
    with pytest.raises(KeyError):
        alertmanager.resolve(API)


async def test_firing_again_keeps_the_start_and_after_the_end_has_a_new_one(
    alertmanager: Alertmanager, clock: Clock
) -> None:
    first = alertmanager.fire(API)
    clock.advance(minutes=1)
    assert alertmanager.fire(API).starts_at == first.starts_at
    alertmanager.resolve(API)
    clock.advance(minutes=1)
    assert alertmanager.fire(API).starts_at == NOON + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("matcher", "found"),
    [
        ('deployment="api"', ["api"]),
        ("deployment=api", ["api"]),
        (' deployment != "api" ', ["DiskFull", "web"]),
        ('deployment=~"a.*|w.*"', ["api", "web"]),
        ('deployment=~"ap"', []),
        ('deployment!~"a.i"', ["DiskFull", "web"]),
        ('deployment=""', ["DiskFull"]),
        ('deployment!=""', ["api", "web"]),
        ('instance="node-1:9100"', ["DiskFull"]),
        (r'deployment="a\"pi"', []),
    ],
)
async def test_a_filter_is_a_matcher(alertmanager: Alertmanager, matcher: str, found: list[str]) -> None:
    for labels in (API, WEB, DISK):
        alertmanager.fire(labels)
    assert await listed(alertmanager, ("filter", matcher)) == found


async def test_several_filters_must_all_match(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API)
    alertmanager.fire(WEB)
    both = [("filter", 'alertname="HighErrorRate"'), ("filter", 'deployment!="api"')]
    assert await listed(alertmanager, *both) == ["web"]


@pytest.mark.parametrize(
    ("parameter", "answer"),
    [
        (("filter", "bad"), "bad matcher format: bad"),
        (("filter", 'a="b'), 'matcher value contains unescaped double quote: "b'),
        (("filter", 'a="b"c"'), 'matcher value contains unescaped double quote: "b"c"'),
        (("filter", r'a="b\"'), 'matcher value contains unescaped double quote: "b\\"'),
        (("filter", 'a=~"("'), "error parsing regexp: .*"),
        (("receiver", "("), "failed to parse receiver param: error parsing regexp: .*"),
    ],
)
async def test_a_bad_parameter_is_a_400_with_a_sentence(
    alertmanager: Alertmanager, parameter: tuple[str, str], answer: str
) -> None:
    status, said = await get(alertmanager, "/api/v2/alerts", parameter)
    pattern = answer if answer.endswith(".*") else re.escape(answer)
    assert status == 400
    assert re.fullmatch(pattern, said)


async def test_states_can_be_left_out(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API)
    alertmanager.fire(WEB)
    alertmanager.fire(DISK, unprocessed=True)
    alertmanager.fire({"alertname": "Small"})
    alertmanager.silence({"deployment": "web"})
    alertmanager.inhibit({"alertname": "Small"}, while_firing={"deployment": "api"})
    assert await listed(alertmanager) == ["DiskFull", "Small", "api", "web"]
    assert await listed(alertmanager, ("active", "")) == ["DiskFull", "Small", "api", "web"]
    assert await listed(alertmanager, ("active", "false")) == ["DiskFull", "Small", "web"]
    assert await listed(alertmanager, ("silenced", "false")) == ["DiskFull", "Small", "api"]
    assert await listed(alertmanager, ("inhibited", "false")) == ["DiskFull", "api", "web"]
    assert await listed(alertmanager, ("unprocessed", "false")) == ["DiskFull", "Small", "api", "web"]


async def test_receivers_are_an_anchored_expression(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API, receivers=["pager", "team.payments"])
    alertmanager.fire(WEB)
    assert await listed(alertmanager, ("receiver", "page")) == []
    assert await listed(alertmanager, ("receiver", "")) == ["api", "web"]
    assert await listed(alertmanager, ("receiver", "page.*|nobody")) == ["api"]


async def test_an_expired_silence_and_a_resolved_source_suppress_nothing(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API)
    alertmanager.fire(DISK)
    silence = alertmanager.silence({"alertname": "HighErrorRate"})
    alertmanager.inhibit({"deployment": "api"}, while_firing=DISK)
    only_active = (("silenced", "false"), ("inhibited", "false"))
    assert await listed(alertmanager, *only_active) == ["DiskFull"]
    alertmanager.unsilence(silence)
    assert await listed(alertmanager, *only_active) == ["DiskFull"]
    alertmanager.resolve(DISK)
    assert await listed(alertmanager, *only_active) == ["api"]


async def test_without_prometheus_alerts_run_out(alertmanager: Alertmanager, clock: Clock) -> None:
    alertmanager.fire(API)
    clock.advance(hours=1)
    assert await listed(alertmanager) == ["api"]
    alertmanager.stop_resending()
    clock.advance(minutes=3)
    alertmanager.fire(WEB)
    assert await listed(alertmanager) == ["api", "web"]
    clock.advance(minutes=1)
    assert await listed(alertmanager) == ["web"]
    alertmanager.resume_resending()
    clock.advance(hours=1)
    assert await listed(alertmanager) == ["web"]


async def test_it_tells_its_status_and_that_it_is_ready(alertmanager: Alertmanager) -> None:
    assert await get(alertmanager, "/-/ready") == (200, "OK")
    assert await get(alertmanager, "/-/healthy") == (200, "OK")
    status, answer = await get(alertmanager, "/api/v2/status")
    assert (status, set(answer)) == (200, {"cluster", "config", "uptime", "versionInfo"})
    assert (answer["versionInfo"]["version"], answer["uptime"]) == ("0.28.1", "2026-11-24T12:00:00.250Z")
