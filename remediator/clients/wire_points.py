"""Fault points of a request while it is under way, which only the HTTP client sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from remediator.fault_points import FaultPoint, armed, reach


class Wire(NamedTuple):
    """What is reached when half of the body is sent, all of it, and when an answer begins to arrive."""

    half: FaultPoint | None = None
    sent: FaultPoint | None = None
    answered: FaultPoint | None = None


_wire: ContextVar[Wire | None] = ContextVar("wire", default=None)


@contextmanager
def on_the_wire(wire: Wire) -> Iterator[None]:
    """Requests that are made in this block reach these points."""
    token = _wire.set(wire)
    try:
        yield
    finally:
        _wire.reset(token)


def observed(options: dict[str, Any]) -> dict[str, Any]:
    """aiohttp's options of a request; one whose points are looked for is sent in halves."""
    wire = _wire.get() if armed() else None
    if wire is None or not isinstance(options.get("data"), bytes):
        return options
    return {**options, "data": _Halves(options["data"], wire)}


def answer_begins() -> None:
    """The headers of an answer are there."""
    wire = _wire.get() if armed() else None
    if wire is not None and wire.answered is not None:
        reach(wire.answered)


class _Halves(BytesPayload):
    def __init__(self, value: bytes, wire: Wire) -> None:
        super().__init__(value)
        self._points = wire

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        half = len(self._value) // 2
        await writer.write(self._value[:half])
        if self._points.half is not None:
            reach(self._points.half)
        await writer.write(self._value[half:])
        if self._points.sent is not None:
            reach(self._points.sent)
