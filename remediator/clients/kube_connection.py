"""The connection to the Kubernetes API server: where it is, who we are, one request at a time.

kubernetes-asyncio reads the configuration, keeps the credentials fresh and holds the TLS connections.
Its models are not used: turning 500 pods into them blocks the event loop for half a second.
"""

import asyncio
from collections.abc import Callable, Mapping
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, DummyCookieJar
from yaml import MarkedYAMLError, YAMLError, safe_load
from yarl import URL

from remediator.clients.http import HttpAnswer, NeverSent, OpenAnswer, exchange, open_answer
from remediator.clients.proxies import Proxies
from remediator.errors import Permanent

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient, Configuration
    from kubernetes_asyncio.config.kube_config import KubeConfigLoader

Beginning: TypeAlias = Callable[[], float]
"""How many seconds are left in which a request may begin."""

_LARGEST_BODY = 64 * 2**20
_READ_AT_ONCE = 2**21
"""Bytes, as the library has it: an object, and so one event of a watch, may be 1.5 MiB."""
_CREDENTIALS_LIVE = 60.0
"""Seconds between two looks at a kubeconfig's credentials; the library uses the same within a pod."""

_UNUSABLE = (OSError, ValueError, YAMLError, ClientError, AttributeError, KeyError, TypeError)
"""What the library raises, beside its ConfigException, for configuration it cannot use: a user that is
missing is a TypeError, for example.
"""


class KubeConnection:
    """Made by `connect`. Speaks JSON and gives back status, headers and body of every answer."""

    def __init__(self, api_client: "ApiClient") -> None:
        """Call inside the event loop."""
        self._api_client = api_client
        rest = api_client.rest_client
        # The library's own session takes what ~/.netrc has for this host to be our credentials.
        self._session = ClientSession(
            connector=rest.pool_manager.connector,
            connector_owner=False,
            cookie_jar=DummyCookieJar(),
            read_bufsize=_READ_AT_ONCE,
        )
        self._proxy = rest.proxy or Proxies().to(self.host)

    @property
    def host(self) -> str:
        """The address of the API server."""
        return str(self._api_client.configuration.host)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = 10.0,
        begin: Beginning | None = None,
    ) -> HttpAnswer:
        """Send one request and read the whole answer within `deadline` seconds.

        `begin` tells how many seconds are left in which the request may begin; None is half of the deadline.
        `path` has to be quoted already; `body` is sent as JSON unless it is None, whatever else `headers` call
        it. Raises NeverSent when the server cannot have seen the request, Retryable or Permanent as
        remediator.clients.http.exchange does when it may have. Never repeated here, and neither does aiohttp
        repeat a PATCH or a POST.
        """
        options = await self._options(headers or {}, min(deadline / 2, begin() if begin else deadline))
        if body is not None:
            options["headers"].setdefault("Content-Type", "application/json")
            options["data"] = dumps(body).encode()
        return await exchange(
            self._session,
            method,
            self._url(path, query),
            deadline=deadline,
            largest_body=_LARGEST_BODY,
            begin_within=begin() if begin else None,
            **options,
        )

    async def open(
        self,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        deadline: float = 10.0,
    ) -> OpenAnswer:
        """Send one GET and read the headers of its answer within `deadline` seconds. Raises as `call` does."""
        options = await self._options(headers or {}, deadline / 2)
        return await open_answer(self._session, "GET", self._url(path, query), deadline=deadline, **options)

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        return URL(self.host + path + (f"?{urlencode(query)}" if query else ""), encoded=True)

    async def _options(self, headers: Mapping[str, str], deadline: float) -> dict[str, Any]:
        """aiohttp's options of one request, credentials included."""
        sent = {"Accept": "application/json", "User-Agent": "remediator", **headers}
        options: dict[str, Any] = {"headers": sent | await self._credentials(deadline)}
        rest = self._api_client.rest_client
        if rest.server_hostname:
            options["server_hostname"] = rest.server_hostname
        if self._proxy:
            options |= {"proxy": self._proxy, "proxy_headers": rest.proxy_headers}
        return options

    async def close(self) -> None:
        """Close all connections; requests under way fail."""
        await self._session.close()
        await self._api_client.close()

    async def _credentials(self, deadline: float) -> dict[str, str]:
        """The authorization header, after the library has had its chance to renew what is in it."""
        from kubernetes_asyncio.config import ConfigException

        found: dict[str, str] = {}
        try:
            async with asyncio.timeout(deadline):
                await self._api_client.update_params_for_auth(found, [], ["BearerToken"])
        except (ConfigException, *_UNUSABLE) as error:
            raise NeverSent(f"the credentials for {self.host} cannot be read: {_said(error)}") from None
        return {name: value.strip() for name, value in found.items()}


async def connect(kubeconfig: Path | None) -> KubeConnection:
    """Read the configuration and make a connection with it; nothing is sent yet.

    `kubeconfig` is a file, None means that this process runs in a pod. Raises Permanent when the
    configuration cannot be read. The library is imported here and not above: that takes up to seconds,
    for which commands that need no cluster do not wait.
    """
    from kubernetes_asyncio import client, config

    configuration = client.Configuration()
    # No limit: each watch keeps a connection for as long as it lasts, and there are some a namespace.
    configuration.connection_pool_maxsize = 0
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await _load_file(kubeconfig, configuration)
        if not str(configuration.host).startswith(("http://", "https://")):
            raise Permanent(f"{configuration.host!r} is not the address of an API server")
        return KubeConnection(client.ApiClient(configuration))
    except (config.ConfigException, *_UNUSABLE) as error:
        source = kubeconfig or "the ServiceAccount of this pod (give --kubeconfig outside of one)"
        raise Permanent(f"no connection to Kubernetes from {source}: {_said(error)}") from None


async def _load_file(kubeconfig: Path, configuration: "Configuration") -> None:
    from kubernetes_asyncio import config

    _require_mapping(kubeconfig)
    loader = await config.load_kube_config(
        config_file=str(kubeconfig), client_configuration=configuration, persist_config=False
    )
    configuration.refresh_api_key_hook = Renewal(loader)


def _require_mapping(kubeconfig: Path) -> None:
    """The library answers a missing and an empty file with an AttributeError."""
    if not isinstance(safe_load(kubeconfig.read_text("utf-8")), dict):
        raise ValueError("not a kubeconfig file")


class Renewal:
    """Reads a kubeconfig's credentials again every minute: token files change, plugins' tokens expire.

    The library does this by itself only for the token of a pod. It asks this hook before every request
    that carries a token.
    """

    def __init__(self, loader: "KubeConfigLoader") -> None:
        self._loader = loader
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.Task[None] | None = None
        self.due = self._loop.time() + _CREDENTIALS_LIVE
        """When the credentials are read next, in the seconds of the event loop's clock."""

    async def __call__(self, configuration: "Configuration") -> None:
        if self._loop.time() < self.due:
            return
        # A plugin that is slower than a request's deadline goes on for the next request: the library
        # would leave its process behind, and each request would start another.
        if self._reading is None or self._reading.done():
            self._reading = self._loop.create_task(self._read(configuration))
        await asyncio.shield(self._reading)

    async def _read(self, configuration: "Configuration") -> None:
        await self._loader.load_and_set(configuration)
        self.due = self._loop.time() + _CREDENTIALS_LIVE


def _said(error: Exception) -> str:
    """The error in words, without the parts of a kubeconfig that the libraries quote: tokens are in there.

    For the same reason it is not kept as a cause.
    """
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    if isinstance(error, AttributeError | KeyError | TypeError):
        return f"it cannot be used: {error!r}"
    return str(error).split("/{", maxsplit=1)[0] or type(error).__name__
