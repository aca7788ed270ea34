"""Credentials for Kubernetes: where they come from, how long they live, and that nothing is sent without."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

from remediator.clients.http import NeverSent
from remediator.clients.kube_connection import KubeConnection, connect
from tests.clients.credentials import a_kubeconfig, pass_a_minute, read, remove, write
from tests.clients.servers import Echo, Kube

ANSWER = (
    '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":'
    ' {{"token": "{token}", "expirationTimestamp": "2020-01-01T00:00:00Z"}}}}\n'
)
PLUGIN = f"echo '{ANSWER}'"


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[int]:
    """The writing end of the named pipe `pipe`."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield writer
    os.close(writer)


def tokens(asked: list[web.Request]) -> list[str]:
    return [request.headers.get("Authorization", "") for request in asked]


async def test_a_token_file_is_read_again_after_a_minute(kube: Kube, echo: Echo, token_file: Path) -> None:
    url, asked = echo
    connection = await kube(url)
    await connection.call("GET", "/")
    write(token_file, "second")
    await connection.call("GET", "/")
    pass_a_minute(connection)
    await connection.call("GET", "/")
    assert tokens(asked) == ["Bearer first", "Bearer first", "Bearer second"]


async def test_without_its_token_file_nothing_is_sent_until_it_is_back(
    kube: Kube, echo: Echo, token_file: Path
) -> None:
    url, asked = echo
    connection = await kube(url)
    remove(token_file)
    pass_a_minute(connection)
    with pytest.raises(NeverSent, match="credentials"):
        await connection.call("GET", "/")
    assert asked == []
    write(token_file, "third")
    await connection.call("GET", "/")
    assert tokens(asked) == ["Bearer third"]


async def test_a_plugin_is_asked_again_after_a_minute(echo: Echo, tmp_path: Path) -> None:
    url, asked = echo
    connection = await connect(a_kubeconfig(tmp_path, url, a_plugin(tmp_path, PLUGIN.format(token="first"))))
    await connection.call("GET", "/")
    a_plugin(tmp_path, PLUGIN.format(token="second"))
    pass_a_minute(connection)
    await connection.call("GET", "/")
    a_plugin(tmp_path, "echo 'no session' >&2; exit 3")
    pass_a_minute(connection)
    with pytest.raises(NeverSent, match="no session"):
        await connection.call("GET", "/")
    await connection.close()
    assert tokens(asked) == ["Bearer first", "Bearer second"]


async def test_a_plugin_slower_than_a_request_is_started_once_and_serves_a_later_one(
    echo: Echo, tmp_path: Path, pipe: int
) -> None:
    url, asked = echo
    connection = await connect(a_kubeconfig(tmp_path, url, a_plugin(tmp_path, PLUGIN.format(token="first"))))
    starts = tmp_path / "starts"
    a_plugin(tmp_path, f"echo started >> {starts}; head -n 1 {tmp_path / 'pipe'}")
    pass_a_minute(connection)
    for _ in range(2):
        with pytest.raises(NeverSent, match="credentials"):
            await connection.call("GET", "/", deadline=0.2)
    assert asked == []
    os.write(pipe, ANSWER.format(token="second").encode())
    await connection.call("GET", "/")
    await connection.close()
    assert tokens(asked) == ["Bearer second"]
    assert read(starts) == "started\n"


async def test_a_user_and_password_are_sent_as_basic_authentication(echo: Echo, tmp_path: Path) -> None:
    url, asked = echo
    connection = await connect(a_kubeconfig(tmp_path, url, "user: {username: me, password: secret}"))
    await connection.call("GET", "/")
    await connection.close()
    assert tokens(asked) == ["Basic " + base64.b64encode(b"me:secret").decode()]


async def test_a_user_without_credentials_sends_none(echo: Echo, tmp_path: Path) -> None:
    url, asked = echo
    connection = await connect(a_kubeconfig(tmp_path, url, "user: {}"))
    await connection.call("GET", "/")
    await connection.close()
    assert tokens(asked) == [""]


async def test_the_token_of_a_pod_is_read_again_when_a_minute_has_passed(echo: Echo, tmp_path: Path) -> None:
    url, asked = echo
    token, certificate = tmp_path / "token", tmp_path / "ca.crt"
    write(token, "first")
    certificate.write_text("any")
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    loader = InClusterConfigLoader(str(token), str(certificate), environ=environ)
    configuration = Configuration()
    loader.load_and_set(configuration)
    configuration.host, configuration.ssl_ca_cert = url, None
    connection = KubeConnection(ApiClient(configuration))
    await connection.call("GET", "/")
    write(token, "second\n")
    await connection.call("GET", "/")
    loader.token_expires_at = loader.token_expires_at.min
    await connection.call("GET", "/")
    write(token, "")
    loader.token_expires_at = loader.token_expires_at.min
    with pytest.raises(NeverSent, match="Token file exists but empty"):
        await connection.call("GET", "/")
    await connection.close()
    assert tokens(asked) == ["Bearer first", "Bearer first", "Bearer second"]


def a_plugin(folder: Path, script: str) -> str:
    """A user whose credentials come from a program that runs `script`."""
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return f"user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {path}}}}}"
