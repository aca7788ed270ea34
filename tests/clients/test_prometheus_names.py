"""What a Prometheus has: its version, its alerting rules, its metrics."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.http import HttpClient
from remediator.clients.prometheus import PrometheusClient
from remediator.errors import Permanent
from remediator.sandbox.prometheus import AlertingRule, Prometheus
from tests.clients.servers import Serve
from tests.support.clock import DrivenClock

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def test_version_alerts_and_metrics_of_a_prometheus(http: HttpClient) -> None:
    async with Prometheus(clock=DrivenClock().now) as prometheus:
        client = PrometheusClient(http, prometheus.url, {})
        assert await client.version() == "2.42.0"
        assert await client.alert_names() == frozenset()
        prometheus.rules = [AlertingRule("A"), AlertingRule("B")]
        assert await client.alert_names() == {"A", "B"}
        prometheus.metrics = {"up", "upper", "down"}
        assert await client.metrics_among(["up", "down", "gone"], AT) == {"up", "down"}


@pytest.mark.parametrize("data", [{}, {"groups": 1}, {"groups": [{"rules": [1]}]}, [], "x"])
async def test_a_list_of_rules_of_another_shape_is_permanent(
    http: HttpClient, serve: Serve, data: Any
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": data})

    client = PrometheusClient(http, await serve(answer), {})
    with pytest.raises(Permanent):
        await client.alert_names()
    if not isinstance(data, list):
        with pytest.raises(Permanent, match="cannot read"):
            await client.metrics_among(["up"], AT)
