"""HTTP with a deadline, a bounded body and no redirects; aiohttp's errors end here."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    NonHttpUrlClientError,
    TCPConnector,
)
from yarl import URL

from remediator.clients.lookup import Lookup, StrangersLookup
from remediator.clients.proxies import Proxies
from remediator.clients.wire_points import answer_begins, observed
from remediator.errors import Permanent, Retryable

LARGEST_BODY = 8 * 2**20
"""Bytes of an answer that are read before it is given up, unless the caller says otherwise."""

_LONGEST_RETRY_AFTER = 86400.0
_NO_CONNECTION = (ClientConnectorError, ClientHttpProxyError, ConnectionTimeoutError)


class NeverSent(Retryable):
    """No connection came about, so the other side cannot have seen the request."""


class HttpAnswer(NamedTuple):
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names compare without regard to case."""
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header, at most a day. Its other form, a date, is not read."""
        try:
            seconds = float(self.headers.get("Retry-After", ""))
        except ValueError:
            return None
        return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER) if isfinite(seconds) else None

    @property
    def excerpt(self) -> str:
        """The beginning of the body on one line, for a sentence."""
        return " ".join(self.body[:300].decode("utf-8", "replace").split())


class HttpClient:
    """One pool of connections for everything that is not the Kubernetes API. Obeys the proxy variables."""

    def __init__(self, *, largest_body: int = LARGEST_BODY) -> None:
        """`largest_body` is in bytes, after decompression."""
        self._largest_body = largest_body
        self._session: ClientSession | None = None
        self._strangers: ClientSession | None = None
        self._proxies = Proxies()

    async def start(self) -> None:
        """Must be called inside the event loop that will use this client."""
        self._session = _session(TCPConnector(resolver=Lookup()))
        self._strangers = _session(TCPConnector(resolver=StrangersLookup()))

    async def close(self) -> None:
        """Close all connections; requests under way fail."""
        for each in (self._session, self._strangers):
            if each is not None:
                await each.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float,
    ) -> HttpAnswer:
        """Send one request and read the whole answer within `deadline` seconds. A redirect is an answer.

        Raises as `exchange` does.
        """
        options = {"params": params, "json": json, "data": data, "headers": headers}
        proxy = self._proxies.to(url)
        return await self._exchange(self._session, method, url, deadline, proxy=proxy, **options)

    async def ask_stranger(
        self, url: str, headers: Mapping[str, str] | None = None, *, deadline: float
    ) -> HttpAnswer:
        """A GET of an address that not the settings name: no name leads it to what StrangersLookup refuses.

        A proxy is one that the settings name. Raises as `request` and StrangersLookup do.
        """
        proxy = self._proxies.to(url)
        session = self._strangers if proxy is None else self._session
        return await self._exchange(session, "GET", url, deadline, proxy=proxy, headers=headers)

    async def _exchange(
        self, session: ClientSession | None, method: str, url: str, deadline: float, **options: Any
    ) -> HttpAnswer:
        if session is None:
            raise RuntimeError("HttpClient.start() has not been called")
        limits: dict[str, Any] = {"deadline": deadline, "largest_body": self._largest_body}
        return await exchange(session, method, url, **limits, **options)

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = 10.0,
    ) -> Any:
        """The JSON document at `url`.

        Raises Retryable for 429, 5xx and what `exchange` raises it for, Permanent for every other status
        that is not 2xx and for a body that is not JSON.
        """
        answer = await self.request("GET", url, params=params, headers=headers, deadline=deadline)
        where = place(url)
        if answer.status == 429 or answer.status >= 500:
            raise Retryable(f"{where} answered {answer.status}: {answer.excerpt}", answer.retry_after)
        if not 200 <= answer.status < 300:
            raise Permanent(f"{where} answered {answer.status}: {answer.excerpt}")
        document = json_document(answer.body)
        if document is None:
            raise Permanent(f"{where} did not answer in JSON; is it the right address? {answer.excerpt}")
        return document


def _session(connector: TCPConnector) -> ClientSession:
    return ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), headers={"User-Agent": "remediator"}
    )


async def exchange(
    session: ClientSession,
    method: str,
    url: str | URL,
    *,
    deadline: float,
    largest_body: int,
    begin_within: float | None = None,
    **options: Any,
) -> HttpAnswer:
    """One request on `session`; `options` are aiohttp's.

    Half of `deadline` (seconds), and no more than `begin_within`, is for getting a connection, so that a
    connection that never came about can be told from an answer that never came. Raises NeverSent for the
    first, Retryable for timeouts, lost connections and answers that are not HTTP, Permanent for an address
    or header that cannot be sent and for a body larger than `largest_body` bytes. None of the sentences holds
    more of the address than its origin, and the causes are dropped: the rest of an address may be a secret.
    """
    where = place(url)
    if begin_within is not None and begin_within <= 0:
        raise NeverSent(f"it was too late to ask {where}")
    with _errors_of(where, deadline):
        async with (
            asyncio.timeout(deadline),
            session.request(method, url, **_ours(deadline, begin_within), **observed(options)) as response,
        ):
            answer_begins()
            body = await _whole_body(response, largest_body, where)
            return HttpAnswer(response.status, response.headers, body)


class OpenAnswer:
    """An answer whose body is read piece by piece. Whoever has it closes it."""

    def __init__(self, response: ClientResponse, where: str) -> None:
        self._response = response
        self._where = where

    @property
    def status(self) -> int:
        return self._response.status

    async def piece(self, deadline: float) -> bytes:
        """The next bytes of the body, empty at its end. Raises Retryable when none come within `deadline`
        seconds, or when the connection is lost.
        """
        with _errors_of(self._where, deadline):
            async with asyncio.timeout(deadline):
                return await self._response.content.readany()

    async def whole(self, largest_body: int, deadline: float) -> HttpAnswer:
        """All of it, for an answer that turned out to be a short one. Raises as `exchange` does."""
        with _errors_of(self._where, deadline):
            async with asyncio.timeout(deadline):
                body = await _whole_body(self._response, largest_body, self._where)
        return HttpAnswer(self.status, self._response.headers, body)

    def close(self) -> None:
        """Close the connection, unless the whole body was read: then it is used again."""
        self._response.close()


async def open_answer(
    session: ClientSession, method: str, url: str | URL, *, deadline: float, **options: Any
) -> OpenAnswer:
    """Send one request and read the headers of its answer within `deadline` seconds. Raises as `exchange`."""
    where = place(url)
    with _errors_of(where, deadline):
        async with asyncio.timeout(deadline):
            return OpenAnswer(await session.request(method, url, **_ours(deadline), **options), where)


def _ours(deadline: float, begin_within: float | None = None) -> dict[str, Any]:
    """aiohttp's options of every request: no redirects, and our own deadlines instead of its five minutes."""
    connect = deadline / 2 if begin_within is None else min(deadline / 2, begin_within)
    return {"allow_redirects": False, "timeout": ClientTimeout(total=None, connect=connect)}


@contextmanager
def _errors_of(where: str, deadline: float) -> Iterator[None]:
    """aiohttp's errors become ours, as `exchange` tells."""
    try:
        yield
    except _NO_CONNECTION as error:
        raise NeverSent(f"cannot connect to {where}: {_reason(error)}") from None
    except (InvalidURL, NonHttpUrlClientError):
        raise Permanent(f"{where} is not an http or https address") from None
    except TimeoutError:
        raise Retryable(f"{where} did not answer within {deadline:g} s") from None
    except (ClientError, OSError) as error:
        raise Retryable(f"no usable answer from {where}: {_reason(error)}") from None
    except ValueError as error:
        raise Permanent(f"the request to {where} cannot be made: {error}") from None


def json_document(body: bytes) -> Any:
    """The document in `body`, or None when it is not JSON (a bare `null` is none either)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def place(url: str | URL) -> str:
    """The origin of an address, without user, path and query, which may be secret."""
    try:
        parsed = URL(url)
        return (
            f"{parsed.scheme}://{parsed.host_port_subcomponent}" if parsed.host else "the configured address"
        )
    except ValueError:
        return "the configured address"


async def _whole_body(response: ClientResponse, largest: int, where: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > largest:
            raise Permanent(f"{where} answered with more than {largest} bytes")
    return bytes(body)


def _reason(error: ClientError | OSError) -> str:
    if isinstance(error, ConnectionTimeoutError):
        return "timed out"
    if isinstance(error, ClientConnectorError):
        return str(error.os_error.strerror or error.os_error)
    if isinstance(error, ClientResponseError):
        return f"{error.status} {error.message}"
    return str(error) or type(error).__name__
