"""Servers that say less than they should, and what the fixtures of this folder are called with."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from remediator.clients.kube_connection import KubeConnection
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import WriteAnswer

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talking = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Answering], Awaitable[str]]
Talk = Callable[[Talking], Awaitable[str]]
Kube = Callable[[str], Awaitable[KubeConnection]]
Reading = Callable[[Answering], Awaitable[KubeReader]]
Patched = Callable[[Answering], Awaitable[WriteAnswer]]
Echo = tuple[str, list[web.Request]]


async def never(_: web.Request) -> web.Response:
    """What a request that must not be made is answered with."""
    raise AssertionError("nothing should be asked")


async def no_answer(_: web.Request) -> web.Response:
    """Wait until the other side gives up."""
    await asyncio.Event().wait()
    return web.Response()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close with an RST instead of a FIN."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


async def gibberish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n")


async def half_an_object(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"kind": "Deployment"')


async def half_a_refusal(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 100\r\n\r\n{"kind": "Status"')


async def broken_compression(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Wait until the other side gives up."""
    await reader.read()


async def silence_after_the_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    await reader.read()
