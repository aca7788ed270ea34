"""Proxies of the environment are obeyed as NO_PROXY says; what else it has for a host is never sent."""

from pathlib import Path

import pytest
from aiohttp import web

from remediator.clients.http import HttpClient
from remediator.clients.kube_connection import connect
from remediator.errors import Permanent
from tests.clients.credentials import a_kubeconfig
from tests.clients.servers import Echo, Serve

ELSEWHERE = "http://elsewhere.example"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def proxy(serve: Serve) -> tuple[str, list[str]]:
    """A proxy's address, and what it is asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.json_response({})

    return await serve(answer), asked


async def test_a_proxy_leads_to_what_no_proxy_does_not_name(
    proxy: tuple[str, list[str]], echo: Echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, asked = proxy
    direct, seen = echo
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.svc")
    async with HttpClient() as http:
        await http.get_json(f"{ELSEWHERE}/api")
        await http.request("GET", direct, deadline=5.0)
    connection = await connect(a_kubeconfig(tmp_path, ELSEWHERE, "user: {}"))
    await connection.call("GET", "/version")
    await connection.close()
    assert asked == [f"{ELSEWHERE}/api", f"{ELSEWHERE}/version"]
    assert len(seen) == 1


async def test_what_a_netrc_has_for_a_host_is_not_sent(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, seen = echo
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    connection = await connect(a_kubeconfig(tmp_path, url, "user: {token: ours}"))
    await connection.call("GET", "/")
    await connection.close()
    async with HttpClient() as http:
        await http.request("GET", url, deadline=5.0)
    assert [each.headers.get("Authorization") for each in seen] == ["Bearer ours", None]


async def test_an_address_that_is_none_is_told_as_one_behind_a_proxy_too(
    proxy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy[0])
    async with HttpClient() as http:
        with pytest.raises(Permanent, match="is not an http or https address"):
            await http.get_json("http://[broken")
