"""What the API server says about itself and about us."""

from typing import Any

import pytest
from aiohttp import web

from remediator.clients.kube_about import KubeAbout
from remediator.domain.rights import ALL, Right
from remediator.errors import Permanent, Retryable
from tests.clients.servers import Answering, Kube, Serve
from tests.support.clock import START, DrivenClock

LOGS = Right("get", "", "pods/log")


def answering(status: int, document: Any, **headers: str) -> Answering:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(document, status=status, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("date", "behind"),
    [
        ("Mon, 05 Jan 2026 12:00:00 GMT", -0.5),
        ("Mon, 05 Jan 2026 11:59:00 GMT", 59.5),
        ("Mon, 05 Jan 2026 12:01:00 GMT", -60.5),
        ("yesterday", None),
    ],
)
async def test_its_version_and_its_clock_are_read(
    kube: Kube, serve: Serve, date: str, behind: float | None
) -> None:
    answer = answering(200, {"gitVersion": "v1.33.13"}, Date=date)
    clock = DrivenClock()
    assert clock.now() == START
    server = await KubeAbout(await kube(await serve(answer)), clock).server()
    assert (server.version, server.behind) == ("v1.33.13", behind)


@pytest.mark.parametrize(
    ("status", "document"), [(200, {}), (200, ["v1"]), (403, {"message": "no"}), (200, {"gitVersion": 1})]
)
async def test_what_is_no_api_server_is_said(kube: Kube, serve: Serve, status: int, document: Any) -> None:
    about = KubeAbout(await kube(await serve(answering(status, document))), DrivenClock())
    with pytest.raises(Permanent, match="not as an API server does"):
        await about.server()


async def test_a_review_names_group_resource_subresource_and_place(kube: Kube, serve: Serve) -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, (await request.json())["spec"]["resourceAttributes"]))
        return web.json_response({"status": {"allowed": len(asked) == 1}}, status=201)

    about = KubeAbout(await kube(await serve(answer)), DrivenClock())
    assert await about.may(LOGS, "shop") is True
    assert await about.may(ALL, None) is False
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    log = {"verb": "get", "group": "", "resource": "pods", "subresource": "log", "namespace": "shop"}
    assert asked == [
        ("POST", reviews, log),
        ("POST", reviews, {"verb": "*", "group": "*", "resource": "*"}),
    ]


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (200, {"status": {"allowed": True}}),
        (201, {"status": {"allowed": "true"}}),
        (201, {"status": {}}),
        (201, []),
        (403, {"message": "forbidden"}),
        (500, {}),
    ],
)
async def test_only_a_review_that_was_made_gives_a_right(
    kube: Kube, serve: Serve, status: int, document: Any
) -> None:
    about = KubeAbout(await kube(await serve(answering(status, document))), DrivenClock())
    with pytest.raises(Retryable, match="to whether we may get pods/log"):
        await about.may(LOGS, "shop")
