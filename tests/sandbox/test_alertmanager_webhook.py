"""The webhook requests of the Alertmanager stand-in are those a real one sent."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.alertmanager_webhook import ALL_LABELS, Alert, groups, notification

RECORDINGS = Path(__file__).parent.parent / "recordings" / "alertmanager"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
API = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}
WEB = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "web"}
DISK = {"alertname": "DiskFull", "instance": "node-1:9100"}

Recorded = dict[str, Any]


class Webhook:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(
            ({name.lower(): value for name, value in request.headers.items()}, await request.read())
        )
        return web.Response(status=self.status)

    def alerts(self) -> list[tuple[str, str]]:
        """Name or workload, and status, of every alert in the latest request."""
        body = json.loads(self.got[-1][1])
        return [(one["labels"].get("deployment", ""), one["status"]) for one in body["alerts"]]


@pytest.fixture
async def alertmanager() -> AsyncIterator[Alertmanager]:
    async with Alertmanager(clock=lambda: NOON) as alertmanager:
        yield alertmanager


@pytest.fixture
def webhook() -> Webhook:
    return Webhook()


@pytest.fixture
async def url(webhook: Webhook) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/api/v1/alertmanager", webhook.take)
    async with TestServer(application) as server:
        yield str(server.make_url("/api/v1/alertmanager"))


def recorded_requests() -> list[Any]:
    found = []
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text())
        deliveries = [recording] if "request" in recording else recording.get("deliveries", [])
        for number, delivery in enumerate(deliveries):
            found.append(pytest.param(delivery["request"], id=f"{path.stem}-{number}"))
    return found


def recorded_alert(alert: Recorded) -> Alert:
    return Alert(
        alert["labels"],
        alert["annotations"],
        starts_at=datetime.fromisoformat(alert["startsAt"]),
        ends_at=None if alert["status"] == "firing" else datetime.fromisoformat(alert["endsAt"]),
        generator_url=alert["generatorURL"],
    )


@pytest.mark.parametrize("request_", recorded_requests())
def test_every_recorded_body_comes_out_byte_for_byte(request_: Recorded) -> None:
    body = request_["body"]
    shown = [recorded_alert(alert) for alert in body["alerts"]]
    last = shown[-1]
    cut_off = [
        replace(last, labels={**last.labels, "pod": f"web-{9 - number}"}, ends_at=None)
        for number in range(body["truncatedAlerts"])
    ]
    made = notification(
        [*cut_off, *reversed(shown)],
        receiver=body["receiver"].replace("\\", ""),
        group_by=tuple(body["groupLabels"]),
        route=body["groupKey"].split(":")[0],
        external_url=body["externalURL"],
        max_alerts=len(shown) if cut_off else 0,
    )
    assert made.body.decode() == request_["raw"]
    assert len(made.body) == int(request_["headers"]["content-length"])
    assert made.group_key == body["groupKey"]


@pytest.mark.parametrize("request_", recorded_requests())
def test_every_recorded_fingerprint_is_recomputed(request_: Recorded) -> None:
    for alert in request_["body"]["alerts"]:
        assert recorded_alert(alert).fingerprint == alert["fingerprint"]


def test_a_truncated_group_is_judged_by_what_is_left_of_it() -> None:
    alerts = [Alert({"alertname": "A", "n": str(n)}, starts_at=NOON) for n in range(3)]
    resolved = replace(alerts[0], ends_at=NOON)
    body = json.loads(
        notification([*alerts[1:], resolved], receiver="r", group_by=["alertname"], max_alerts=1).body
    )
    assert (body["status"], body["truncatedAlerts"]) == ("resolved", 2)
    assert body["commonLabels"] == {"alertname": "A", "n": "0"}


def test_alerts_stand_in_order_of_job_then_instance_then_labels_those_without_last() -> None:
    labels = [
        {"job": "a", "instance": "1"},
        {"job": "a", "instance": "2"},
        {"job": "a"},
        {"job": "b", "instance": "0"},
        {"z": "1"},
        {"n": "1"},
        {"a": "1", "n": "2"},
    ]
    alerts = [Alert(one, starts_at=NOON) for one in reversed(labels)]
    body = json.loads(notification(alerts, receiver="r", group_by=[]).body)
    assert [alert["labels"] for alert in body["alerts"]] == labels


def test_a_group_key_is_quoted_as_go_quotes() -> None:
    odd = Alert({"a": 'q"\\\n\x7f\u00a0é\U000e0001'}, starts_at=NOON)
    made = notification([odd], receiver="r", group_by=ALL_LABELS)
    assert made.group_key == r'{}:{a="q\"\\\n\x7f\u00a0é\U000e0001"}'


def test_alerts_without_a_group_label_are_a_group_of_their_own() -> None:
    alerts = [Alert(one, starts_at=NOON) for one in (API, DISK, WEB)]
    assert [[alert.labels for alert in group] for group in groups(alerts, ["namespace"])] == [
        [API, WEB],
        [DISK],
    ]


async def test_a_delivery_has_the_headers_of_alertmanager_and_the_token(
    alertmanager: Alertmanager, webhook: Webhook, url: str
) -> None:
    alertmanager.fire(API)
    (delivery,) = await alertmanager.deliver(url, token="s3cret")
    ((headers, body),) = webhook.got
    assert (delivery.status, delivery.notification.body) == (200, body)
    assert headers.pop("host")
    assert headers == {
        "user-agent": "Alertmanager/0.28.1",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "authorization": "Bearer s3cret",
    }


async def test_a_resolved_alert_is_delivered_until_it_was_taken_then_forgotten(
    alertmanager: Alertmanager, webhook: Webhook, url: str
) -> None:
    alertmanager.fire(API)
    alertmanager.fire(WEB)
    alertmanager.resolve(API)
    webhook.status = 503
    assert [delivery.status for delivery in await alertmanager.deliver(url)] == [503]
    webhook.status = 200
    await alertmanager.deliver(url)
    assert webhook.alerts() == [("api", "resolved"), ("web", "firing")]
    await alertmanager.deliver(url)
    assert webhook.alerts() == [("web", "firing")]


async def test_an_alert_cut_off_a_delivery_counts_as_delivered(
    alertmanager: Alertmanager, webhook: Webhook, url: str
) -> None:
    alertmanager.fire(API)
    alertmanager.fire(WEB)
    alertmanager.resolve(WEB)
    await alertmanager.deliver(url, notifications=alertmanager.notifications(max_alerts=1))
    assert webhook.alerts() == [("api", "firing")]
    await alertmanager.deliver(url)
    assert webhook.alerts() == [("api", "firing")]


async def test_nobody_hears_of_a_suppressed_alert_nor_of_its_end(
    alertmanager: Alertmanager, webhook: Webhook, url: str
) -> None:
    alertmanager.fire(API)
    silence = alertmanager.silence(API)
    assert await alertmanager.deliver(url) == []
    alertmanager.resolve(API)
    alertmanager.unsilence(silence)
    assert await alertmanager.deliver(url) == []
    assert webhook.got == []


async def test_each_group_of_a_receiver_is_a_request_of_its_own(
    alertmanager: Alertmanager, webhook: Webhook, url: str
) -> None:
    for labels in (API, WEB, DISK):
        alertmanager.fire(labels, receivers=["k8s.remediator"])
    assert await alertmanager.deliver(url) == []
    due = alertmanager.notifications(receiver="k8s.remediator", route='{}/{remediate="true"}')
    await alertmanager.deliver(url, notifications=due)
    assert {json.loads(body)["receiver"] for _, body in webhook.got} == {r"k8s\.remediator"}
    assert {json.loads(body)["groupKey"] for _, body in webhook.got} == {
        '{}/{remediate="true"}:{alertname="DiskFull"}',
        '{}/{remediate="true"}:{alertname="HighErrorRate", namespace="shop"}',
    }


async def test_a_receiver_that_is_away_is_a_delivery_without_status(
    alertmanager: Alertmanager, unused_tcp_port: int
) -> None:
    alertmanager.fire(API)
    (delivery,) = await alertmanager.deliver(f"http://127.0.0.1:{unused_tcp_port}/")
    assert delivery.status is None
    assert "ClientConnectorError" in delivery.error


async def test_a_receiver_that_hangs_is_given_up(alertmanager: Alertmanager) -> None:
    alertmanager.fire(API)
    async with Alertmanager(clock=lambda: NOON) as hanging:
        hanging.delay = 60
        (delivery,) = await alertmanager.deliver(hanging.url, timeout=0.05)
    assert delivery.status is None
    assert "Timeout" in delivery.error
