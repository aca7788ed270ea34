"""The connection to the API server: where it is, and what becomes of one request."""

from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.http import NeverSent
from remediator.clients.kube_connection import connect
from remediator.errors import Permanent, Retryable
from tests.clients.credentials import a_kubeconfig
from tests.clients.servers import Echo, Kube, Serve, no_answer

HERE = "current-context: here\ncontexts: [{name: here, context: {cluster: there}}]\n"


async def test_an_answer_of_any_status_comes_with_its_headers_and_body(kube: Kube, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status"}, status=409, headers={"X-Y": "z"})

    connection = await kube(await serve(answer))
    status, headers, body = await connection.call("GET", "/api/v1/namespaces/shop/pods/a")
    assert (status, headers["x-y"], body) == (409, "z", b'{"kind": "Status"}')


async def test_a_request_arrives_as_it_was_made(kube: Kube, echo: Echo) -> None:
    url, asked = echo
    connection = await kube(url)
    await connection.call(
        "PATCH",
        "/api/v1/namespaces/shop/pods/a%20b",
        query={"labelSelector": "a=b,c=d", "limit": "1"},
        body=[{"op": "add", "path": "/x", "value": "ü\ud800"}],
        headers={"Content-Type": "application/json-patch+json", "X-Other": "yes"},
    )
    [request] = asked
    assert (request.method, request.raw_path) == (
        "PATCH",
        "/api/v1/namespaces/shop/pods/a%20b?labelSelector=a%3Db%2Cc%3Dd&limit=1",
    )
    assert request.headers["Content-Type"] == "application/json-patch+json"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["X-Other"] == "yes"
    assert request.headers["User-Agent"] == "remediator"
    assert await request.json() == [{"op": "add", "path": "/x", "value": "ü\ud800"}]
    assert connection.host == url


async def test_a_redirect_is_an_answer_and_our_token_goes_nowhere_else(kube: Kube, serve: Serve) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    connection = await kube(await serve(elsewhere))
    assert (await connection.call("PATCH", "/here", body=[])).status == 307
    assert asked == ["/here"]


async def test_outside_of_a_pod_a_kubeconfig_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Permanent, match="give --kubeconfig outside of one"):
        await connect(None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kubeconfig",
        "[]",
        "{}",
        "{a: ",
        "current-context: here\ncontexts: {}\nclusters: []",
        "current-context: here\ncontexts: [{name: here}]\nclusters: []",
        HERE + "clusters: []",
        HERE + "clusters: [{name: there, cluster: {server: 'https://127.0.0.1:6443'}}]",
        HERE + "clusters: [{name: there, cluster: {server: '127.0.0.1:6443'}}]",
    ],
)
async def test_an_unusable_kubeconfig_is_permanent(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(Permanent):
        await connect(path)


async def test_a_kubeconfig_that_is_not_there_is_permanent(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="No such file"):
        await connect(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "user",
    [
        "user: {token: hunter2, exec: {apiVersion: v1}}",
        "user: {exec: {command: x, env: [{value: hunter2}], apiVersion: v1}}",
        "hunter2: {token: hunter2}",
        "user: {token: hunter2",
    ],
)
async def test_no_sentence_quotes_the_credentials_of_a_kubeconfig(tmp_path: Path, user: str) -> None:
    with pytest.raises(Permanent) as raised:
        await connect(a_kubeconfig(tmp_path, "http://127.0.0.1:1", user))
    assert "hunter2" not in raised.value.sentence
    assert raised.value.__cause__ is None


async def test_an_api_server_that_is_down_has_not_seen_the_request(kube: Kube, refusing: str) -> None:
    connection = await kube(refusing)
    with pytest.raises(NeverSent, match="cannot connect"):
        await connection.call("GET", "/")


async def test_an_api_server_that_cannot_be_reached_has_not_seen_the_request(kube: Kube, silent: str) -> None:
    connection = await kube(silent)
    with pytest.raises(NeverSent, match="timed out"):
        await connection.call("GET", "/", deadline=0.4)


async def test_an_api_server_that_does_not_answer_may_have_seen_the_request(kube: Kube, serve: Serve) -> None:
    connection = await kube(await serve(no_answer))
    with pytest.raises(Retryable) as raised:
        await connection.call("GET", "/", deadline=0.2)
    assert not isinstance(raised.value, NeverSent)
