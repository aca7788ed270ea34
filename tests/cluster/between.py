"""Something between the daemon and the API server: a person is quicker, or a write is late.

It forwards every request as it comes, over a connection of its own, and can do something first or hold one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

from remediator.clients.kube_connection import KubeConnection

_PASSED_ON = ("Content-Type", "Accept")


@dataclass
class Between:
    """What happened to the effects of one daemon."""

    url: str = ""
    before_an_effect: Callable[[], Awaitable[None]] | None = None
    """Done once, before the daemon's next effect is passed on."""
    hold: asyncio.Event | None = None
    """When set to an event, the daemon's next effect waits for it, even after the daemon has given up."""
    parked: int = 0
    """How many effects have been held so far."""
    answers: list[int] = field(default_factory=list)
    """What the API server answered to each effect, also when nobody waited for it any more."""
    _late: set[asyncio.Task[web.Response]] = field(default_factory=set)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads here."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "between", "cluster": {"server": self.url}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "between", "context": {"cluster": "between", "user": "nobody"}}],
            "current-context": "between",
        }
        path.write_text(json.dumps(content))
        return path


@asynccontextmanager
async def between(kube: KubeConnection) -> AsyncIterator[Between]:
    """Listen on loopback for the length of the block."""
    made = Between()

    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not _is_effect(request, body):
            return await _passed_on(kube, request, body)
        passing = asyncio.create_task(_effect(made, kube, request, body))
        made._late.add(passing)
        return await asyncio.shield(passing)

    application = web.Application(client_max_size=16 * 2**20)
    application.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        if made.hold is not None:
            made.hold.set()
        await asyncio.gather(*made._late, return_exceptions=True)
        await runner.cleanup()


def _is_effect(request: web.Request, body: bytes) -> bool:
    """A template is replaced; a claim and a dry run change none."""
    return request.method == "PATCH" and b'"/spec/template"' in body and "dryRun" not in request.query


async def _effect(made: Between, kube: KubeConnection, request: web.Request, body: bytes) -> web.Response:
    first, made.before_an_effect = made.before_an_effect, None
    held, made.hold = made.hold, None
    if first is not None:
        await first()
    if held is not None:
        made.parked += 1
        await held.wait()
    answer = await kube.call(
        request.method,
        request.path,
        query=dict(request.query),
        body=json.loads(body),
        headers={"Content-Type": request.headers["Content-Type"]},
    )
    made.answers.append(answer.status)
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")


async def _passed_on(kube: KubeConnection, request: web.Request, body: bytes) -> web.StreamResponse:
    """Streams, because watches do."""
    rest = kube._api_client.rest_client
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    headers |= await kube._credentials(5.0)
    session: ClientSession = rest.pool_manager
    async with session.request(
        request.method,
        URL(kube.host + request.raw_path, encoded=True),
        headers=headers,
        data=body or None,
        timeout=ClientTimeout(total=None, connect=5.0),
    ) as answer:
        passed = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        for name in ("Retry-After", "Date"):
            if name in answer.headers:
                passed.headers[name] = answer.headers[name]
        await passed.prepare(request)
        async for chunk in answer.content.iter_any():
            await passed.write(chunk)
        await passed.write_eof()
        return passed
