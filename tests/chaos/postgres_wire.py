"""As much of PostgreSQL's protocol (version 3, its documentation's chapter 54) as counting statements needs.

A statement is a Bind (of the extended protocol) or a Query (of the simple one, with which transactions begin and end);
what prepares one is none. What is done to the nth is a `Trap`.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

_PROTOCOL_3 = 196608
_READY = b"Z"

How = Literal["before", "after", "refused", "goes on"]
Pieces = Callable[[], Awaitable[bytes]]


@dataclass
class Trap:
    """What happens at the nth statement from now on, of whatever connection.

    before: the connection is lost, and the server never sees it. after: it is lost when the server has carried it
    out and before the client hears of it. refused: the server raises an error with the SQLSTATE instead, within the
    statement's own transaction. goes on: nothing happens to the statement itself. `then` is called when it springs,
    before anything else happens.
    """

    nth: int
    how: How
    text: str = ""
    """Only statements that contain it count."""
    sqlstate: str = "53100"
    then: Callable[[], Awaitable[None]] | None = None
    statement: str = ""
    """What it sprang at; empty until it has."""
    seen: int = 0

    @property
    def sprung(self) -> bool:
        return bool(self.statement)

    def springs(self, statement: str) -> bool:
        self.seen += self.text in statement
        if self.text not in statement or self.seen != self.nth:
            return False
        self.statement = " ".join(statement.split())
        return True


@dataclass
class Statements:
    """Every statement that goes through one proxy."""

    trap: Trap | None = None
    log: list[str] | None = None
    """Filled, when it is a list, with every statement."""
    full: bool = False
    """While it is, new connections hear that the server has no slot left for them (53300)."""

    def session(self, cut: Callable[[], None]) -> "Session":
        """For one connection; `cut` loses it."""
        return Session(self, cut)

    def at(self, statement: str) -> Trap | None:
        """The trap that springs at this one."""
        if self.log is not None:
            self.log.append(" ".join(statement.split()))
        trap = self.trap
        return trap if trap is not None and not trap.sprung and trap.springs(statement) else None


@dataclass
class Session:
    """One connection."""

    statements: Statements
    cut: Callable[[], None]
    started: bool = False
    prepared: dict[bytes, str] = field(default_factory=dict)
    swallowing: bool = False
    """From a statement whose answer the client shall not hear."""
    skipping: bool = False
    """Until the Sync that belongs to a statement that was replaced."""

    def ways(
        self,
        client: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> tuple[tuple[Pieces, asyncio.StreamWriter], tuple[Pieces, asyncio.StreamWriter]]:
        """What is forwarded to the server, and to the client."""
        return (lambda: self._to_server(client), server), (lambda: self._to_client(theirs), to_client)

    async def _to_server(self, client: asyncio.StreamReader) -> bytes:
        if not self.started:
            head = await client.readexactly(8)
            length, code = struct.unpack("!ii", head)
            self.started = code == _PROTOCOL_3
            return head + await client.readexactly(length - 8)
        while True:
            kind, body = await _message(client)
            piece = await self._said(kind, body)
            if piece is not None:
                return piece

    async def _said(self, kind: bytes, body: bytes) -> bytes | None:
        """What becomes of a message of the client: forwarded, replaced, or None when nothing is sent."""
        whole = kind + struct.pack("!i", len(body) + 4) + body
        if self.skipping:
            self.skipping = kind != b"S"
            return None
        if kind == b"P":
            name, query, _ = body.split(b"\0", 2)
            self.prepared[name] = query.decode()
        if kind not in (b"B", b"Q"):
            return whole
        text = body[:-1].decode() if kind == b"Q" else self.prepared.get(body.split(b"\0", 2)[1], "?")
        trap = self.statements.at(text)
        return whole if trap is None else await self._sprung(trap, kind, whole)

    async def _sprung(self, trap: Trap, kind: bytes, whole: bytes) -> bytes:
        if trap.then is not None:
            await trap.then()
        if trap.how == "before":
            self.cut()
            return b""
        if trap.how == "refused":
            self.skipping = kind == b"B"
            return _raising(trap.sqlstate)
        self.swallowing = trap.how == "after"
        return whole

    async def _to_client(self, theirs: asyncio.StreamReader) -> bytes:
        if not self.started:
            return await theirs.read(65536)
        piece = b"" if self.swallowing else await theirs.read(65536)
        if not self.swallowing:
            return piece
        await self._carried_out(theirs, piece)
        self.cut()
        return b""

    async def _carried_out(self, theirs: asyncio.StreamReader, begun: bytes) -> None:
        """Read on until the server is ready for the next statement."""
        answer = begun
        while not _ready(answer):
            piece = await theirs.read(65536)
            if not piece:
                return
            answer += piece


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


def _ready(answer: bytes) -> bool:
    """Whether whole messages up to a ReadyForQuery are there."""
    at = 0
    while at + 5 <= len(answer):
        length = 1 + struct.unpack("!i", answer[at + 1 : at + 5])[0]
        if answer[at : at + 1] == _READY and at + length <= len(answer):
            return True
        at += length
    return False


def _raising(sqlstate: str) -> bytes:
    """A Query that fails with this error inside the transaction that is open."""
    body = (
        f"do $$ begin raise exception 'no space left on device' using errcode = '{sqlstate}'; end $$".encode()
        + b"\0"
    )
    return b"Q" + struct.pack("!i", len(body) + 4) + body


async def refuse_as_full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a client that begins a session as a server does all of whose connections are taken."""
    while True:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        await reader.readexactly(length - 8)
        if code == _PROTOCOL_3:
            break
        writer.write(b"N")  # no encryption
    fields = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"
    writer.write(b"E" + struct.pack("!i", len(fields) + 4) + fields)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
