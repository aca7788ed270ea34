"""A body that nobody may send is not read: neither kept, nor taken off the wire to be thrown away."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from tests.support.web import INTAKE, TOKEN, Web

FOUR_GIGABYTES = 4 * 1024**3
CHUNK = b" " * 65536
BUFFERS = 3 * 1024**2
"""What the kernel takes off our hands on both sides, without anybody reading it."""


@asynccontextmanager
async def connected(web: Web) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    parts = urlsplit(web.url)
    plain = socket.create_connection((parts.hostname or "", parts.port or 0))
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    reader, writer = await asyncio.open_connection(sock=plain)
    writer.transport.set_write_buffer_limits(high=16384)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def pushed(
    writer: asyncio.StreamWriter, path: str, headers: Mapping[str, str], *, chunked: bool
) -> int:
    """How much of four gigabytes went onto the wire before nobody took any more."""
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(FOUR_GIGABYTES)}
    lines = {"Host": "remediator", "Content-Type": "application/json", **length, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode())
    sent = 0
    try:
        async with asyncio.timeout(20):
            while sent < FOUR_GIGABYTES:
                writer.write(b"10000\r\n" + CHUNK + b"\r\n" if chunked else CHUNK)
                await writer.drain()
                sent += len(CHUNK)
    except (ConnectionError, TimeoutError):
        pass
    return sent


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("path", [INTAKE, "/api/v1/runs", "/api/v1/pauses", "/-/reload", "/nowhere"])
@pytest.mark.parametrize("token", [None, "wrong"])
async def test_of_four_gigabytes_of_somebody_unknown_at_most_a_megabyte_is_read(
    web: Web, path: str, chunked: bool, token: str | None
) -> None:
    async with connected(web) as (_, writer):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        assert await pushed(writer, path, headers, chunked=chunked) <= 1024**2 + BUFFERS
    assert await web.rows("select * from notices") == []
    assert (await web.get("/-/healthy")).status == 200


async def test_a_small_body_that_is_refused_ends_no_connection(web: Web) -> None:
    async with connected(web) as (reader, writer):
        for _ in range(2):
            writer.write(
                f"POST {INTAKE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(CHUNK)}\r\n\r\n".encode()
            )
            writer.write(CHUNK)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 401 ")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)


async def test_alertmanager_hears_that_its_message_is_too_large(web: Web) -> None:
    """It gives up only when it is told so: a connection that is cut is tried again."""
    assert (await web.post(b" " * (40 * 1024**2))).status == 413


async def test_who_waits_for_an_answer_before_sending_the_body_is_answered_at_once(web: Web) -> None:
    token = f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    for who, length, answer in (("", 99, b"HTTP/1.1 401 "), (token, 40 * 1024**2, b"HTTP/1.1 413 ")):
        async with connected(web) as (reader, writer):
            writer.write(
                f"POST {INTAKE} HTTP/1.1\r\nHost: a\r\n{who}Content-Length: {length}\r\n\r\n".encode()
            )
            async with asyncio.timeout(4):  # sooner than a body is no longer waited for
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(answer)
