"""The emulator's sockets: aiohttp in front of the API, with faults, watch streams and the log of requests."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from email.utils import format_datetime

from aiohttp import web

from remediator.sandbox.kubernetes.answers import Answer, Stream
from remediator.sandbox.kubernetes.api import Api
from remediator.sandbox.kubernetes.effects import LoggedRequest
from remediator.sandbox.kubernetes.faults import Dropped, Exchange, Faults, Half, Reply
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.request import Call
from remediator.sandbox.kubernetes.status import Json

OBSERVERS: list[Callable[[LoggedRequest], None]] = []
"""Called with every request to any emulator of this process, once it has its answer or has lost its client."""


class Server:
    """Serves an Api on loopback."""

    def __init__(self, api: Api, loop: Loop, faults: Faults) -> None:
        self.requests: list[LoggedRequest] = []
        self.port = 0
        self._api = api
        self._loop = loop
        self._faults = faults
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Take requests on `port`, or on any free one if it is 0."""
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        listening = _bound(port)
        self.port = listening.getsockname()[1]
        self._api.host = f"127.0.0.1:{self.port}"
        await web.SockSite(runner, listening).start()
        self._runner = runner

    async def stop(self) -> None:
        """Close every connection and refuse new ones."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Refuse connections; the port is kept from others meanwhile."""
        with _bound(self.port):  # never listens
            await self.stop()
            try:
                yield
            finally:
                await self.start(self.port)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, dict(request.query), headers, body)
        user = self._api.user_of(call)
        place = self._log(call, user)
        try:
            return await self._answer(request, call, user, place)
        finally:
            for observe in OBSERVERS:
                observe(self.requests[place])

    async def _answer(self, request: web.Request, call: Call, user: str, place: int) -> web.StreamResponse:
        fault = self._faults.for_request(call, user)
        apply = self._applying(call)
        if fault is None:
            reply: Reply = apply()
        else:
            reply = await fault.play(
                Exchange(
                    call=call,
                    apply=apply,
                    ask=lambda other: self._applying(other)(),
                    after=self._loop.outcome_after,
                    schedule=self._schedule,
                    released=fault.released,
                )
            )
        return await self._send(request, reply, place)

    def _applying(self, call: Call) -> Callable[[], Answer | Stream]:
        def apply() -> Answer | Stream:
            self._loop.settle()
            answer = self._api.answer(call)
            self._loop.settle()
            return answer

        return apply

    def _schedule(self, seconds: float, apply: Callable[[], Answer | Stream]) -> None:
        self._loop.after(seconds, lambda: void(apply()))

    def _log(self, call: Call, user: str) -> int:
        entry = LoggedRequest(
            sequence=len(self.requests) + 1,
            at=self._loop.clock.now(),
            method=call.method,
            path=call.path,
            query=dict(call.query),
            content_type=call.media_type,
            user=user,
            user_agent=call.headers.get("user-agent", ""),
            status=0,
        )
        self.requests.append(entry)
        return len(self.requests) - 1

    # -- answers --------------------------------------------------------------------------------------------

    async def _send(self, request: web.Request, reply: Reply, place: int) -> web.StreamResponse:
        if isinstance(reply, Dropped):
            return await _drop(request)
        answer = reply.answer if isinstance(reply, Half) else reply
        code = answer.code if isinstance(answer, Answer) else 200
        self.requests[place] = replace(self.requests[place], status=code)
        if isinstance(reply, Half):
            return await _send_half(request, answer)
        if isinstance(answer, Stream):
            return await _send_stream(request, answer)
        headers, body = _rendered(answer)
        headers["Date"] = format_datetime(self._loop.clock.now(), usegmt=True)
        return web.Response(status=code, headers=headers, body=body)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def void(_: object) -> None:
    """Nothing, of anything: for calls whose answer nobody waits for."""


def _line(obj: Json) -> bytes:
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _rendered(answer: Answer) -> tuple[dict[str, str], bytes]:
    if isinstance(answer.body, str):
        return {"Content-Type": "text/plain; charset=utf-8", **answer.headers}, answer.body.encode()
    if answer.body is None:
        return dict(answer.headers), b""
    return {"Content-Type": "application/json", **answer.headers}, _line(answer.body)


def _event_line(stream: Stream, event: Json) -> bytes:
    return _line({"type": event["type"], "object": stream.present(event["object"])})


async def _send_stream(request: web.Request, stream: Stream) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    with suppress(ConnectionResetError):  # whoever watched has gone, which is no news
        await response.prepare(request)
        async with aclosing(stream.watch.events()) as events:
            async for event in events:
                await response.write(_event_line(stream, event))
        await response.write_eof()
    return response


async def _send_half(request: web.Request, answer: Answer | Stream) -> web.StreamResponse:
    if isinstance(answer, Answer):
        headers, body = _rendered(answer)
        response = web.StreamResponse(status=answer.code, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
    else:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        async with aclosing(answer.watch.events()) as events:
            body = _event_line(answer, await anext(events))
    await response.write(body[: len(body) // 2])
    return await _drop(request, after_sending=True)


async def _drop(request: web.Request, *, after_sending: bool = False) -> web.StreamResponse:
    transport = request.transport
    if transport is not None and after_sending:
        transport.close()
    elif transport is not None:
        transport.abort()
    with suppress(TimeoutError):  # the lost connection cancels this request, usually at once
        async with asyncio.timeout(1):
            await asyncio.Event().wait()
    return web.Response(status=500)
