"""Alertmanager's peers: what each of them holds, and that one dead peer silences no other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.alertmanager import AlertmanagerClient, PeerAlert, PeerAnswer
from remediator.clients.http import HttpClient
from remediator.domain.alert import fingerprint
from remediator.sandbox.alertmanager import Alertmanager
from tests.clients.servers import Serve

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
LABELS = {"alertname": "HighErrorRate", "namespace": "checkout", "job": "api"}
WIRE: dict[str, Any] = {
    "labels": LABELS,
    "annotations": {"summary": "5xx"},
    "fingerprint": "0000000000000000",
    "startsAt": "2026-11-23T07:00:00.123456789Z",
    "endsAt": "2026-11-23T08:34:00.000+01:00",
    "updatedAt": "2026-11-23T07:30:00.000Z",
    "generatorURL": "",
    "receivers": [{"name": "remediator"}],
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}


@pytest.fixture
async def peer() -> AsyncIterator[Alertmanager]:
    async with Alertmanager(clock=lambda: NOW) as peer:
        yield peer


def alerts_of(answer: PeerAnswer) -> tuple[PeerAlert, ...]:
    assert answer.error is None
    assert answer.alerts is not None
    return answer.alerts


async def test_a_firing_alert_is_active(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire(LABELS, annotations={"summary": "5xx"}, starts_at=NOW - timedelta(minutes=5))
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    [alert] = alerts_of(answer)
    assert (answer.peer, alert.state) == (peer.url, "active")
    assert (alert.labels, alert.annotations) == (LABELS, {"summary": "5xx"})
    assert alert.fingerprint == fingerprint(LABELS)
    assert alert.starts_at == NOW - timedelta(minutes=5)
    assert alert.ends_at > NOW
    assert alert.updated_at == NOW


async def test_a_silenced_alert_is_suppressed_and_says_by_what(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire(LABELS)
    silence = peer.silence({"namespace": "checkout"})
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    [alert] = alerts_of(answer)
    assert (alert.state, alert.silenced_by, alert.inhibited_by) == ("suppressed", (silence,), ())


async def test_an_inhibited_alert_is_suppressed_and_says_by_what(
    http: HttpClient, peer: Alertmanager
) -> None:
    peer.fire(LABELS)
    source = peer.fire({"alertname": "NodeDown"})
    peer.inhibit({"job": "api"}, while_firing={"alertname": "NodeDown"})
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    [alert] = alerts_of(answer)
    assert (alert.state, alert.silenced_by, alert.inhibited_by) == ("suppressed", (), (source.fingerprint,))


async def test_an_alert_no_route_has_seen_yet_is_unprocessed(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire(LABELS, unprocessed=True)
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    assert [alert.state for alert in alerts_of(answer)] == ["unprocessed"]


async def test_an_alert_that_ended_is_no_longer_there(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire(LABELS)
    peer.resolve(LABELS)
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    assert alerts_of(answer) == ()


@pytest.mark.parametrize(
    "value",
    ['say "hi"', "back\\slash", "back\\n", "two\nlines", "tab\t", "ümlaut", "a=b,c!=d", "{}", " x ", "&%+"],
)
async def test_values_are_matched_exactly_as_they_are(
    http: HttpClient, peer: Alertmanager, value: str
) -> None:
    peer.fire({**LABELS, "path": value})
    peer.fire({**LABELS, "path": f"{value}x"})
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(
        {"alertname": "HighErrorRate", "path": value}
    )
    assert [alert.labels["path"] for alert in alerts_of(answer)] == [value]


async def test_an_empty_value_means_that_there_is_no_such_label(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire(LABELS)
    peer.fire({**LABELS, "pod": "api-1"})
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask({**LABELS, "pod": ""})
    assert [alert.labels for alert in alerts_of(answer)] == [LABELS]


async def test_a_name_old_versions_cannot_match_is_matched_here(http: HttpClient, peer: Alertmanager) -> None:
    peer.fire({**LABELS, "app.name": "api"})
    peer.fire({**LABELS, "app.name": "web"})
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask({**LABELS, "app.name": "web"})
    assert [alert.labels["app.name"] for alert in alerts_of(answer)] == ["web"]


async def test_every_peer_answers_for_itself_and_in_order(http: HttpClient, refusing: str) -> None:
    async with Alertmanager(clock=lambda: NOW) as first, Alertmanager(clock=lambda: NOW) as second:
        second.fire(LABELS)
        client = AlertmanagerClient(http, [first.url, refusing, second.url], {})
        assert client.urls == (first.url, refusing, second.url)
        one, dead, two = await client.ask(LABELS)
    assert [one.peer, dead.peer, two.peer] == [first.url, refusing, second.url]
    assert (len(alerts_of(one)), len(alerts_of(two))) == (0, 1)
    assert dead.alerts is None
    assert dead.error is not None
    assert "cannot connect" in dead.error


async def test_peers_are_asked_side_by_side(http: HttpClient, serve: Serve) -> None:
    both = asyncio.Barrier(2)

    async def answer_when_both_are_asked(_: web.Request) -> web.Response:
        await both.wait()
        return web.json_response([])

    urls = [await serve(answer_when_both_are_asked), await serve(answer_when_both_are_asked)]
    answers = await AlertmanagerClient(http, urls, {}, deadline=5.0).ask({})
    assert [answer.error for answer in answers] == [None, None]


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_a_peer_that_does_not_give_alerts_says_why(
    http: HttpClient, peer: Alertmanager, status: int
) -> None:
    peer.status = status
    [answer] = await AlertmanagerClient(http, [peer.url], {}).ask(LABELS)
    assert answer.alerts is None
    assert answer.error is not None
    assert str(status) in answer.error


async def test_the_fingerprint_is_ours_and_times_are_utc(http: HttpClient, serve: Serve) -> None:
    asked: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers.get("Authorization")))
        return web.json_response([WIRE])

    url = await serve(answer)
    [got] = await AlertmanagerClient(http, [f"{url}/am/"], {"Authorization": "Basic eDp5"}).ask(LABELS)
    [alert] = alerts_of(got)
    assert alert.fingerprint == fingerprint(LABELS)
    assert alert.starts_at == datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC)
    assert alert.ends_at == datetime(2026, 11, 23, 7, 34, tzinfo=UTC)
    assert alert.ends_at.tzinfo is UTC
    assert asked == [("/am/api/v2/alerts", "Basic eDp5")]


@pytest.mark.parametrize(
    "broken",
    [
        {"status": {"state": "resting", "silencedBy": [], "inhibitedBy": []}},
        {"status": None},
        {"labels": None},
        {"labels": {"alertname": 1}},
        {"startsAt": "yesterday"},
        {"endsAt": "2026-11-23T07:00:00"},
        {"updatedAt": None},
    ],
)
async def test_one_alert_that_cannot_be_read_leaves_the_whole_peer_unknown(
    http: HttpClient, serve: Serve, broken: dict[str, Any]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response([WIRE, {**WIRE, **broken}])

    url = await serve(answer)
    [got] = await AlertmanagerClient(http, [url], {}).ask(LABELS)
    assert got.alerts is None
    assert got.error is not None
    assert "cannot read" in got.error


@pytest.mark.parametrize("document", [{"status": "success"}, "alerts", 7, [7]])
async def test_what_is_not_a_list_of_alerts_leaves_the_peer_unknown(
    http: HttpClient, serve: Serve, document: Any
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(document)

    url = await serve(answer)
    [got] = await AlertmanagerClient(http, [url], {}).ask(LABELS)
    assert got.alerts is None
    assert got.error is not None


async def test_cancelling_the_question_cancels_it_for_every_peer(http: HttpClient, serve: Serve) -> None:
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    client = AlertmanagerClient(http, [await serve(never), await serve(never)], {}, deadline=30.0)
    question = asyncio.create_task(client.ask(LABELS))
    await asked.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
