"""What the stand-ins have in common: an HTTP server on loopback that can be down, slow or broken."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer:
    """Serves `routes`, and 501 with a sentence for everything else. An async context manager.

    While stopped it refuses connections; started again it has the same port, which it keeps from others in
    between. `status` answers every request with that status and no useful body; `delay` waits so many seconds
    before every answer. `interfere` is asked instead, and may do as usual by calling what it is given. All may be
    set at any time.
    """

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        self.status: int | None = None
        self.delay = 0.0
        self.interfere: Callable[[web.Request, Answer], Awaitable[web.StreamResponse]] | None = None
        self._routes = list(routes)
        self._runner: web.AppRunner | None = None
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))  # never listens, so alone it is a refused connection
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self._reserved.close()

    async def start(self) -> None:
        """Take requests; nothing if it does already."""
        if self._runner is not None:
            return
        application = web.Application(middlewares=[self._ail])
        application.add_routes([*self._routes, web.route("*", "/{path:.*}", self._not_done)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_port=True).start()

    async def stop(self) -> None:
        """Close every connection and refuse new ones; nothing if it is stopped."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _ail(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.status is not None:
            return web.Response(status=self.status, text=f"told to answer {self.status}\n")
        if self.interfere is not None:
            return await self.interfere(request, handler)
        return await handler(request)

    async def _not_done(self, request: web.Request) -> web.StreamResponse:
        what = f"{request.method} {request.path}"
        return web.Response(status=501, text=f"{type(self).__name__}: this stand-in does not do {what}\n")
