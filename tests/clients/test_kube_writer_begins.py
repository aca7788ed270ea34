"""A write begins in the time it is given, or never."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from remediator.clients.kube_write import Applied, KubeWriter, NotSent
from tests.clients.servers import Kube, Serve

DEPLOYMENT = {"kind": "Deployment", "metadata": {"name": "api"}}


async def test_when_no_time_is_left_nothing_is_sent(kube: Kube, serve: Serve) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response(DEPLOYMENT)

    writer = KubeWriter(await kube(await serve(answer)))
    refused = await writer.patch("deployment", "shop", "api", [], begin=lambda: 0.0)
    assert isinstance(refused, NotSent)
    assert "too late" in refused.why
    assert isinstance(await writer.evict("shop", "api-1", "uid", "7", begin=lambda: -1.0), NotSent)
    assert asked == []
    assert isinstance(await writer.patch("deployment", "shop", "api", [], begin=lambda: 1.0), Applied)
    assert asked == ["PATCH"]


async def test_the_time_that_renewing_credentials_takes_counts(kube: Kube, serve: Serve) -> None:
    asked: list[str] = []
    left: Iterator[float] = iter((1.0, 0.0))

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response(DEPLOYMENT)

    writer = KubeWriter(await kube(await serve(answer)))
    refused = await writer.patch("deployment", "shop", "api", [], begin=lambda: next(left))
    assert isinstance(refused, NotSent)
    assert asked == []


@pytest.mark.timeout(8)
async def test_a_connection_that_does_not_come_about_in_that_time_is_given_up(
    kube: Kube, silent: str
) -> None:
    writer = KubeWriter(await kube(silent))
    refused = await writer.patch("deployment", "shop", "api", [], deadline=30.0, begin=lambda: 0.2)
    assert isinstance(refused, NotSent)
