"""Prometheus: numbers it gave, refusals in its own words, and data it did not have in full."""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.http import HttpClient, NeverSent
from remediator.clients.prometheus import PrometheusClient, Sample
from remediator.errors import Permanent, Retryable
from remediator.sandbox.prometheus import AlertingRule, Prometheus
from tests.clients.servers import Serve

Answering = Callable[..., Awaitable[PrometheusClient]]

AT = datetime(2026, 11, 23, 7, 30, 0, 250000, tzinfo=UTC)


@pytest.fixture
def answering(http: HttpClient, serve: Serve) -> Answering:
    """A client of a Prometheus that answers every request with this document."""

    async def start(
        document: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> PrometheusClient:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response(document, status=status, headers=headers)

        return PrometheusClient(http, await serve(answer), {})

    return start


def success(data: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": data, **more}


def failure(kind: str, text: str) -> dict[str, Any]:
    return {"status": "error", "errorType": kind, "error": text}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return success({"groups": [{"name": "first", "rules": []}, {"name": "second", "rules": list(rules)}]})


def alerting(name: str, duration: float, **labels: str) -> dict[str, Any]:
    return {"type": "alerting", "name": name, "duration": duration, "labels": labels, "query": "up == 0"}


async def test_an_instant_vector_comes_as_samples(answering: Answering) -> None:
    element = {"metric": {"__name__": "up", "job": "api"}, "value": [AT.timestamp(), "0.5"]}
    prometheus = await answering(success({"resultType": "vector", "result": [element]}))
    assert await prometheus.query("up") == (Sample({"__name__": "up", "job": "api"}, 0.5, AT),)


async def test_a_scalar_comes_as_one_sample_without_labels(answering: Answering) -> None:
    prometheus = await answering(success({"resultType": "scalar", "result": [AT.timestamp(), "3"]}))
    assert await prometheus.query("scalar(up)") == (Sample({}, 3.0, AT),)


async def test_a_prometheus_is_asked_and_refuses_in_its_own_words(http: HttpClient) -> None:
    async with Prometheus(clock=lambda: AT) as stand_in:
        prometheus = PrometheusClient(http, stand_in.url, {})
        stand_in.answer("up", [({"job": "api"}, 1), ({"job": "web"}, math.inf)])
        stand_in.fail("up +", 400, "bad_data", "unexpected end of input")
        stand_in.rules.append(AlertingRule("Down", duration=300.0, labels={"severity": "page"}))
        assert await prometheus.query("up") == (
            Sample({"job": "api"}, 1.0, AT),
            Sample({"job": "web"}, math.inf, AT),
        )
        assert await prometheus.query("never_heard_of") == ()
        with pytest.raises(Permanent, match="unexpected end of input"):
            await prometheus.query("up +")
        assert await prometheus.alert_hold("Down", {"severity": "page"}) == timedelta(minutes=5)
        assert await prometheus.alert_hold("Up", {}) is None
        stand_in.status = 503
        with pytest.raises(Retryable, match="503"):
            await prometheus.query("up")
        await stand_in.stop()
        with pytest.raises(NeverSent):
            await prometheus.query("up")
        assert stand_in.asked == ["up", "never_heard_of", "up +"]


async def test_an_empty_vector_is_no_samples(answering: Answering) -> None:
    prometheus = await answering(success({"resultType": "vector", "result": []}))
    assert await prometheus.query("absent_metric") == ()


async def test_what_is_not_a_finite_number_is_kept(answering: Answering) -> None:
    texts = ("NaN", "+Inf", "-Inf")
    result = [{"metric": {"n": text}, "value": [1, text]} for text in texts]
    prometheus = await answering(success({"resultType": "vector", "result": result}))
    not_a_number, above, below = [sample.value for sample in await prometheus.query("x / 0")]
    assert math.isnan(not_a_number)
    assert (above, below) == (math.inf, -math.inf)


async def test_the_query_and_the_configured_headers_arrive_as_they_are(
    http: HttpClient, serve: Serve
) -> None:
    asked: list[tuple[str, str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, request.query["query"], request.headers.get("Authorization")))
        return web.json_response(success({"resultType": "vector", "result": []}))

    url = await serve(answer)
    promql = 'sum(rate(x{a=~"b|c+\\\\.d",e!="ü&f=g"}[5m])) > 0'
    await PrometheusClient(http, f"{url}/prom/", {"Authorization": "Bearer t"}).query(promql)
    assert asked == [("/prom/api/v1/query", promql, "Bearer t")]


async def test_a_wrong_query_is_permanent_in_prometheus_own_words(answering: Answering) -> None:
    text = '1:5: parse error: unexpected identifier "by"'
    prometheus = await answering(failure("bad_data", text), status=400)
    with pytest.raises(Permanent) as raised:
        await prometheus.query("sum by")
    assert text in raised.value.sentence


async def test_a_query_that_cannot_be_executed_is_permanent(answering: Answering) -> None:
    prometheus = await answering(failure("execution", "many-to-many matching not allowed"), status=422)
    with pytest.raises(Permanent, match="many-to-many matching not allowed"):
        await prometheus.query("a * b")


@pytest.mark.parametrize(
    ("kind", "status"), [("timeout", 503), ("canceled", 499), ("internal", 500), ("unavailable", 503)]
)
async def test_a_query_not_answered_just_now_is_retryable(
    answering: Answering, kind: str, status: int
) -> None:
    prometheus = await answering(failure(kind, "later"), status=status)
    with pytest.raises(Retryable, match="later"):
        await prometheus.query("up")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, Permanent),
        (302, Permanent),
        (401, Permanent),
        (404, Permanent),
        (429, Retryable),
        (502, Retryable),
    ],
)
async def test_something_else_answering_is_told_apart_by_its_status(
    http: HttpClient, serve: Serve, status: int, error: type[Exception]
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>Grafana</html>", content_type="text/html")

    prometheus = PrometheusClient(http, await serve(page), {})
    with pytest.raises(error, match=f"{status}.*Grafana"):
        await prometheus.query("up")


async def test_the_wait_prometheus_asks_for_is_passed_on(answering: Answering) -> None:
    prometheus = await answering(failure("unavailable", "starting"), status=503, headers={"Retry-After": "9"})
    with pytest.raises(Retryable) as raised:
        await prometheus.query("up")
    assert raised.value.retry_after == 9.0


async def test_data_that_could_not_be_read_in_full_is_retryable(answering: Answering) -> None:
    whole = {"resultType": "vector", "result": []}
    prometheus = await answering(success(whole, warnings=["remote read: connection refused"]))
    with pytest.raises(Retryable, match="could not read all data: remote read"):
        await prometheus.query("up")


async def test_remarks_about_the_query_itself_are_no_missing_data(answering: Answering) -> None:
    remarks = ["PromQL info: metric might not be a counter", "PromQL warning: bucket label missing"]
    prometheus = await answering(
        success({"resultType": "vector", "result": []}, warnings=remarks, infos=["PromQL info: x"])
    )
    assert await prometheus.query("rate(x[5m])") == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"resultType": "matrix", "result": []}, "gives a matrix"),
        ({"resultType": "string", "result": [1, "x"]}, "gives a string"),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}, "native histograms"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "many"]}]}, "cannot read"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": []}]}, "cannot read"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1e300, "1"]}]}, "cannot read"),
        ({"resultType": "vector", "result": [None]}, "cannot read"),
        ({"resultType": "vector", "result": None}, "cannot read"),
        ({}, "cannot read"),
        ([], "without data"),
        (None, "without data"),
    ],
)
async def test_a_result_of_another_shape_is_permanent(answering: Answering, data: Any, why: str) -> None:
    prometheus = await answering(success(data))
    with pytest.raises(Permanent, match=why):
        await prometheus.query("up[5m]")


async def test_a_prometheus_that_is_down_is_retryable(http: HttpClient, refusing: str) -> None:
    with pytest.raises(NeverSent):
        await PrometheusClient(http, refusing, {}).query("up")


async def test_no_prometheus_is_permanent_and_says_what_to_set(http: HttpClient) -> None:
    prometheus = PrometheusClient(http, None, {})
    with pytest.raises(
        Permanent, match=r"no Prometheus is configured; set prometheus\.url in remediator\.yml"
    ):
        await prometheus.query("up")
    with pytest.raises(Permanent, match="no Prometheus is configured"):
        await prometheus.alert_hold("Down", {})


async def test_the_hold_of_an_alert_is_its_rules_for(answering: Answering) -> None:
    recording = {"type": "recording", "name": "Down", "query": "up"}
    prometheus = await answering(rules(recording, alerting("Up", 60), alerting("Down", 300)))
    assert await prometheus.alert_hold("Down", {"alertname": "Down"}) == timedelta(minutes=5)


async def test_a_rule_without_for_holds_zero_and_no_rule_holds_nothing(answering: Answering) -> None:
    prometheus = await answering(rules(alerting("Down", 0)))
    assert await prometheus.alert_hold("Down", {}) == timedelta(0)
    assert await prometheus.alert_hold("down", {}) is None


async def test_of_several_rules_the_longest_hold_counts(answering: Answering) -> None:
    prometheus = await answering(rules(alerting("Down", 60), alerting("Down", 900), alerting("Down", 300)))
    assert await prometheus.alert_hold("Down", {"severity": "page"}) == timedelta(minutes=15)


async def test_a_rule_whose_labels_say_something_else_is_not_meant(answering: Answering) -> None:
    prometheus = await answering(
        rules(
            alerting("Down", 60, severity="page"),
            alerting("Down", 900, severity="warning"),
            alerting("Down", 120, severity="page", region="{{ $labels.region }}", cluster="dropped-later"),
        )
    )
    assert await prometheus.alert_hold("Down", {"severity": "page", "region": "eu"}) == timedelta(minutes=2)
    assert await prometheus.alert_hold("Down", {"severity": "ticket"}) is None


@pytest.mark.parametrize("broken", [{"groups": None}, {"groups": [{}]}, {"groups": [{"rules": ["x"]}]}, {}])
async def test_rules_of_another_shape_are_permanent(answering: Answering, broken: Any) -> None:
    prometheus = await answering(success(broken))
    with pytest.raises(Permanent, match="list of rules this version cannot read"):
        await prometheus.alert_hold("Down", {})
