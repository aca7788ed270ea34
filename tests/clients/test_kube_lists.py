"""Lists from Kubernetes: whole or not at all, and of nothing but what was meant."""

from typing import Any

import pytest
from aiohttp import web

from remediator.clients.kube_read import KubeReader
from remediator.errors import Permanent, Retryable
from tests.clients.kube_answers import a_list, a_status
from tests.clients.servers import Kube, Reading, Serve, never


async def test_a_list_is_all_of_its_pages_with_kinds(reading: Reading) -> None:
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        start = int(request.query.get("continue", "0"))
        return a_list([{"metadata": {"name": f"p{start}"}}], str(start + 1) if start < 2 else "")

    pods = await (await reading(answer)).list("pod", "shop")
    assert pods == [{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": f"p{n}"}} for n in range(3)]
    assert asked == [{"limit": "500"}, {"limit": "500", "continue": "1"}, {"limit": "500", "continue": "2"}]


async def test_a_list_that_expires_between_its_pages_is_begun_again(reading: Reading) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query.get("continue", ""))
        if len(asked) == 2:
            return a_status(410, "Expired", "The provided continue parameter is too old")
        first = "continue" not in request.query
        return a_list([{"metadata": {"name": "a" if first else "b"}}], "x" if first else "")

    pods = await (await reading(answer)).list("pod", "shop")
    assert [pod["metadata"]["name"] for pod in pods] == ["a", "b"]
    assert asked == ["", "x", "", "x"]


async def test_a_page_that_cannot_be_had_leaves_no_list(reading: Reading) -> None:
    async def answer(request: web.Request) -> web.Response:
        return (
            a_status(403, "Forbidden")
            if "continue" in request.query
            else a_list([{"metadata": {"name": "a"}}], "x")
        )

    with pytest.raises(Permanent, match="grant list on pods"):
        await (await reading(answer)).list("pod", "shop")


async def test_pages_without_end_are_given_up_at_the_deadline(kube: Kube, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return a_list([], "more")

    with pytest.raises(Retryable, match="did not answer within"):
        await KubeReader(await kube(await serve(answer)), deadline=0.3).list("pod", "shop")


async def test_a_list_asks_for_labels_and_fields(reading: Reading) -> None:
    asked: list[tuple[str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.query.get("labelSelector"), request.query.get("fieldSelector")))
        return a_list([])

    reader = await reading(answer)
    await reader.list("pod", "shop", {"app.kubernetes.io/name": "api", "tier": ""})
    await reader.list("event", "shop", field_selector={"involvedObject.uid": "1", "reason": "a,b=c\\"})
    await reader.namespaces({"remediator.io/enabled": "true"})
    assert asked == [
        ("app.kubernetes.io/name=api,tier=", None),
        (None, "involvedObject.uid=1,reason=a\\,b\\=c\\\\"),
        ("remediator.io/enabled=true", None),
    ]


@pytest.mark.parametrize(
    "selector", [{}, {"a": "b,c!=d"}, {"a in (b)": ""}, {"a": "b c"}, {"": "b"}, {"!a": ""}]
)
async def test_a_selector_that_would_select_something_else_is_not_sent(
    reading: Reading, selector: dict[str, str]
) -> None:
    reader = await reading(never)
    with pytest.raises(Permanent):
        await reader.list("pod", "shop", selector)
    with pytest.raises(Permanent):
        await reader.list("pod", "shop", field_selector={})


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Pod", "metadata": {}},
        {"kind": "PodList", "items": []},
        {"metadata": {}, "items": ["x"]},
        {"metadata": {}, "items": [{"metadata": {}}]},
        {"metadata": {}, "items": [{"metadata": {"name": "a"}, "spec": []}]},
        {"metadata": {"remainingItemCount": 1}, "items": []},
        [],
    ],
)
async def test_what_is_not_a_list_is_not_an_empty_one(reading: Reading, document: Any) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(document)

    with pytest.raises(Retryable):
        await (await reading(answer)).list("pod", "shop")


async def test_a_list_whose_items_are_null_is_empty(reading: Reading) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": None})

    assert await (await reading(answer)).list("pod", "shop") == []
