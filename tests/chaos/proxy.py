"""A TCP proxy on loopback: it cuts, cuts one way, swallows, delays; before PostgreSQL it also counts statements.

One-way and black holes hold what was sent back until they end, as retransmission would: a connection that outlives
them goes on where it was.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tests.chaos.postgres_wire import Statements, refuse_as_full

Way = Literal["to server", "to client"]
_CHUNK = 65536

Heal = Callable[[], None]
"""Ends one fault."""
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def to_tcp(port: int) -> Connect:
    """A server on loopback."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_postgres(dsn: str) -> Connect:
    """The server of an address with a unix socket."""
    query = parse_qs(urlsplit(dsn).query)
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    return lambda: asyncio.open_unix_connection(path)


@dataclass(eq=False)
class _Pair:
    """One connection of a client and what belongs to it on the other side."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def cut(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


@dataclass
class Proxy:
    """An async context manager; `port` is where clients connect."""

    connect: Connect
    statements: Statements | None = None
    """For PostgreSQL: what is done with its statements."""
    port: int = 0
    connections: int = 0
    """How many were ever made."""
    bitten: int = 0
    """How often a fault hit something: a connection lost or refused, a piece held back."""
    _pairs: set[_Pair] = field(default_factory=set)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _open: dict[Way, asyncio.Event] = field(default_factory=dict)
    _shut: Counter[Way] = field(default_factory=Counter)
    """How many faults keep a way shut: several may befall one proxy at a time, and each ends by itself."""
    _refusing: int = 0
    _delays: list[float] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> "Proxy":
        self._open = {"to server": asyncio.Event(), "to client": asyncio.Event()}
        for event in self._open.values():
            event.set()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- faults ---------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Every connection that is there is lost, both ways, with a reset; new ones come about."""
        for pair in list(self._pairs):
            self.bitten += 1
            pair.cut()

    def refuse(self) -> Heal:
        """As `cut`, and new ones are lost at once, until it is healed."""
        self._refusing += 1
        self.cut()

        def heal() -> None:
            self._refusing -= 1

        return heal

    def swallow(self, *ways: Way) -> Heal:
        """Nothing goes these ways any more, of old connections and new, until it is healed; nobody is told."""
        for way in ways:
            self._shut[way] += 1
            self._open[way].clear()

        def heal() -> None:
            for way in ways:
                self._shut[way] -= 1
                if not self._shut[way]:
                    # What was held back goes first.
                    self._open[way].set()

        return heal

    def slow(self, seconds: float) -> Heal:
        """Every piece is held for so long, until it is healed."""
        self._delays.append(seconds)
        return lambda: self._delays.remove(seconds)

    # -- the way through ------------------------------------------------------------------------------------

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Only the end of the proxy cancels it, and asyncio's streams log a task that ends as cancelled.
            with contextlib.suppress(asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._refusing:
            self.bitten += 1
            return
        if self.statements is not None and self.statements.full:
            await refuse_as_full(reader, writer)
            return
        try:
            theirs, server = await self.connect()
        except OSError:
            return
        pair = _Pair(writer, server)
        self._pairs.add(pair)
        try:
            if self.statements is not None:
                ways = self.statements.session(pair.cut).ways(reader, server, theirs, writer)
            else:
                ways = (_raw(reader, server), _raw(theirs, writer))
            names: tuple[Way, Way] = ("to server", "to client")
            pumps = [
                asyncio.ensure_future(self._pump(way, pieces, name))
                for name, (pieces, way) in zip(names, ways, strict=True)
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._pairs.discard(pair)
            server.transport.abort()

    async def _pump(
        self, writer: asyncio.StreamWriter, pieces: Callable[[], Awaitable[bytes]], way: Way
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while piece := await pieces():
                self.bitten += bool(self._delays) or not self._open[way].is_set()
                if self._delays:
                    await asyncio.sleep(max(self._delays))
                await self._open[way].wait()
                writer.write(piece)
                await writer.drain()


def _raw(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[Callable[[], Awaitable[bytes]], asyncio.StreamWriter]:
    return (lambda: reader.read(_CHUNK)), writer
