"""One GET, timed part by part: look-up, connection, TLS, first byte, all of it; and until when its certificate is good.

It goes straight to the address, past any proxy, and asks the very address that was checked: a name that answers
otherwise a moment later leads nowhere else.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache

from yarl import URL

from remediator.clients.certificate import not_after
from remediator.clients.http import place
from remediator.clients.probe import refuse_this_link
from remediator.clock import Clock
from remediator.domain.value import Value
from remediator.errors import Retryable

_MOST_BYTES = 64 * 1024
_EXCERPT = 300
_SHOWN_WITHIN = 1.0
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})[ \r]")
_LONGEST = 20
"""Digits of a Content-Length that are read at all; int() refuses thousands of them."""
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Timed(Value):
    """What came of one GET; durations in seconds, None for a part that was not reached or does not apply."""

    status: int | None = None
    error: str | None = None
    """Why there is no status, or why the answer is not whole."""
    address: str | None = None
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    """From the request's last byte to the answer's first."""
    total: float | None = None
    certificate_until: datetime | None = None
    excerpt: str = ""
    """The beginning of the body."""


async def timed_get(url: str, deadline: float, clock: Clock, context: ssl.SSLContext | None = None) -> Timed:
    """Ask once, within `deadline` seconds. What goes wrong is in the answer.

    `context` is which certificates to trust; None is what this machine trusts. Raises Permanent for a name that leads
    to an address that is never asked.
    """
    parts, began = _Parts(clock), clock.monotonic()
    try:
        async with asyncio.timeout(deadline):
            with parts.lap("total"):
                await _ask(URL(url), parts, context, deadline)
    except TimeoutError:
        parts["error"] = f"{place(url)} did not answer within {deadline:g} s"
    except ssl.SSLCertVerificationError as reason:
        parts["error"] = f"the certificate of {place(url)} is not trusted: {reason.verify_message}"
        left = deadline - (clock.monotonic() - began)
        parts["certificate_until"] = await _untrusted_until(URL(url), str(parts["address"]), left)
    except asyncio.IncompleteReadError:
        parts["error"] = f"{place(url)} broke off in the middle of its answer"
    except OSError as reason:
        parts["error"] = f"{place(url)}: {reason.strerror or reason}"
    except Retryable as reason:
        parts["error"] = f"{place(url)}: {reason.sentence}"
    return Timed.model_validate(dict(parts))


async def _ask(url: URL, parts: "_Parts", context: ssl.SSLContext | None, deadline: float) -> None:
    with parts.lap("dns"):
        found = await refuse_this_link(str(url))
    if not found:
        raise Retryable(f"nobody knows a host {url.host}")
    with parts.lap("connect"):
        streams = await _connected(found, url, parts, deadline)
    async with _closing(streams) as (reader, writer):
        if url.scheme == "https":
            with parts.lap("tls"):
                await writer.start_tls(context or _trusting_this_machine(), server_hostname=url.host)
            parts["certificate_until"] = _until(writer)
        writer.write(_request(url))
        await writer.drain()
        with parts.lap("first_byte"):
            head = await reader.readexactly(1)
        parts["status"], parts["excerpt"] = await _answer(reader, head)


async def _connected(found: list[str], url: URL, parts: "_Parts", deadline: float) -> _Streams:
    """To the first of its addresses that takes a connection; half of the deadline is for all but the last."""
    *others, last = dict.fromkeys(found)
    for address in others:
        parts["address"] = address
        try:
            async with asyncio.timeout(deadline / 2 / len(others)):
                return await asyncio.open_connection(address, url.port, limit=_MOST_BYTES)
        except OSError:  # also when it did not answer in time
            continue
    parts["address"] = last
    return await asyncio.open_connection(last, url.port, limit=_MOST_BYTES)


class _Parts(dict[str, object]):
    """What is known so far."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Write down how long a part took, if it comes to its end."""
        began = self._clock.monotonic()
        yield
        self[name] = self._clock.monotonic() - began


@asynccontextmanager
async def _closing(streams: _Streams) -> AsyncIterator[_Streams]:
    try:
        yield streams
    finally:
        streams[1].transport.abort()


def _request(url: URL) -> bytes:
    target = url.raw_path_qs or "/"
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {url.host_port_subcomponent}",
        "User-Agent: remediator",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _answer(reader: asyncio.StreamReader, begun: bytes) -> tuple[int, str]:
    """Status and beginning of the body, of which no more than 64 KiB are read."""
    status, headers = await _head(reader, begun)
    while 100 <= status < 200 and status != 101:  # RFC 9110: the answer itself is still to come
        status, headers = await _head(reader, b"")
    body = await _body(reader, headers.lower())
    return status, " ".join(body[:_EXCERPT].decode("utf-8", "replace").split())


async def _head(reader: asyncio.StreamReader, begun: bytes) -> tuple[int, bytes]:
    """Status and headers."""
    try:
        head = begun + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Retryable("its headers are larger than 64 KiB") from None
    found = _STATUS.match(head)
    if found is None:
        raise Retryable("it does not speak HTTP")
    return int(found[1]), head.partition(b"\r\n")[2]


async def _body(reader: asyncio.StreamReader, headers: bytes) -> bytes:
    """Until its end by Content-Length, by the last chunk, or by the connection's end."""
    length = next((each[15:] for each in headers.split(b"\r\n") if each.startswith(b"content-length:")), b"")
    told = length.strip()
    wanted = min(int(told), _MOST_BYTES) if told.isdigit() and len(told) < _LONGEST else _MOST_BYTES
    chunked, body = b"\r\ntransfer-encoding: chunked" in b"\r\n" + headers, bytearray()
    while len(body) < wanted:
        piece = await reader.read(wanted - len(body))
        body += piece
        if not piece or (chunked and body.endswith(b"0\r\n\r\n")):
            break
    return bytes(body)


def _until(writer: asyncio.StreamWriter) -> datetime | None:
    found = writer.get_extra_info("ssl_object")
    certificate = found.getpeercert() if found is not None else None
    until = (certificate or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None


async def _untrusted_until(url: URL, address: str, left: float) -> datetime | None:
    """Until when a certificate is good that nobody trusts: it is shown before anything is asked, and nothing is.

    Within what is `left` of the deadline, in seconds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(min(_SHOWN_WITHIN, left)):
            streams = await asyncio.open_connection(address, url.port)
            async with _closing(streams) as (_, writer):
                await writer.start_tls(context, server_hostname=url.host)
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    except (OSError, TimeoutError):
        return None
    return not_after(shown) if shown else None


@lru_cache(maxsize=1)
def _trusting_this_machine() -> ssl.SSLContext:
    return ssl.create_default_context()
