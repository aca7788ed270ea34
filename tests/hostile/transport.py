"""Sends the cases of webhook.yaml's `transport` as bytes on a socket, and says what came back."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.hostile import corpus
from tests.hostile.posting import Intake, good
from tests.support.web import INTAKE

_SECONDS = 3.0
_QUIET_SECONDS = 0.2
"""After the last expected answer, for one that is not."""
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3}) ")


async def judged(intake: Intake, name: str, case: Mapping[str, Any]) -> list[str]:
    """What is wrong with the answers, and with what was stored: one alert for each 200."""
    before = await intake.last()
    statuses, closed = await _answers(intake, name, case)
    found = []
    if statuses not in _expected(case):
        found.append(f"answered {statuses} instead of {' or '.join(map(str, _expected(case)))}")
    if case.get("half_close") and not closed:
        found.append("the connection is kept though nothing more can come")
    stored, aside = await intake.stored(before[0]), await intake.set_aside(before[1])
    if len(stored) != statuses.count(200) or aside:
        found.append(f"{statuses} were answered, and {stored} stored and {aside} set aside")
    return found


def _expected(case: Mapping[str, Any]) -> list[list[int]]:
    return [case["answers"], *([case["or"]] if "or" in case else [])]


async def _answers(intake: Intake, name: str, case: Mapping[str, Any]) -> tuple[list[int], bool]:
    """The statuses that came back, in their order, and whether the connection was closed then."""
    loop = asyncio.get_running_loop()
    received, closed = b"", False
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", urlsplit(intake.url).port))
        try:
            for piece in _pieces(intake, name, case):
                await loop.sock_sendall(connection, piece)
            if case.get("half_close"):
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before all of it was sent; the answer may be there all the same
        enough = len(case["answers"])
        until = loop.time() + (0.0 if case.get("leave") else _SECONDS)
        while not closed and loop.time() < until:
            try:
                async with asyncio.timeout_at(until):
                    some = await loop.sock_recv(connection, 65536)
            except (ConnectionError, TimeoutError) as ended:
                some, closed = b"", isinstance(ended, ConnectionError)
            else:
                closed = not some
            received += some
            if some and not case.get("half_close") and len(_statuses(received)) >= enough:
                until = min(until, loop.time() + _QUIET_SECONDS)
    return _statuses(received), closed


def _pieces(intake: Intake, name: str, case: Mapping[str, Any]) -> Iterator[bytes]:
    if "hex" in case:
        yield bytes.fromhex(case["hex"])
        return
    body = json.dumps(good(name))
    first = [f"POST {INTAKE} {case.get('version', 'HTTP/1.1')}", "Host: here"]
    head = "".join(f"{line}\r\n" for line in [*first, *(f"{k}: {v}" for k, v in intake.usual.items())])
    words = {
        "head": head,
        "hexlength": f"{len(body):x}",
        "length": str(len(body)),
        "good": body,
        "other": body.replace("Good", "Also", 1),
    }
    for piece in case["send"]:
        yield corpus.expanded(piece, words).encode()


def _statuses(received: bytes) -> list[int]:
    return [int(each) for each in _STATUS_LINE.findall(received)]
