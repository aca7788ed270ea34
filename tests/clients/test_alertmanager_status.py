"""What a peer says about itself; whatever else answers is refused with a sentence."""

from typing import Any

import pytest
from aiohttp import web

from remediator.clients.alertmanager_status import peer_status
from remediator.clients.http import HttpClient
from remediator.errors import Permanent
from tests.clients.servers import Serve

GOOD: dict[str, Any] = {
    "cluster": {"name": "A", "status": "ready", "peers": [{"name": "A"}, {"name": "B"}]},
    "config": {"original": "route: {}"},
    "versionInfo": {"version": "0.28.1"},
}


async def asked(http: HttpClient, serve: Serve, document: Any) -> Any:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/prefix/api/v2/status"
        assert request.headers["Authorization"] == "Bearer secret"
        return web.json_response(document)

    headers = {"Authorization": "Bearer secret"}
    return await peer_status(http, await serve(answer) + "/prefix/", headers, deadline=5.0)


async def test_version_cluster_and_configuration_are_read(http: HttpClient, serve: Serve) -> None:
    status = await asked(http, serve, GOOD)
    assert (status.version, status.cluster, status.peers, status.config) == (
        "0.28.1",
        "ready",
        2,
        "route: {}",
    )


async def test_one_that_stands_alone_has_no_peers(http: HttpClient, serve: Serve) -> None:
    status = await asked(http, serve, {**GOOD, "cluster": {"peers": None, "status": "disabled"}})
    assert (status.cluster, status.peers) == ("disabled", 0)


@pytest.mark.parametrize(
    "document", [[], "ok", {}, {**GOOD, "cluster": None}, {**GOOD, "config": []}, {**GOOD, "versionInfo": 1}]
)
async def test_what_is_no_status_is_said(http: HttpClient, serve: Serve, document: Any) -> None:
    with pytest.raises(Permanent, match="is it an Alertmanager"):
        await asked(http, serve, document)
