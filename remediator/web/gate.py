"""What is asked of every request before it is answered, and what becomes of a body that nobody wants."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from remediator.people.web_config import WebConfig
from remediator.web.responses import problem

_Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Middleware = Callable[[web.Request, _Answering], Awaitable[web.StreamResponse]]

ADMITTED = web.RequestKey("admitted", bool)
"""Set on a request whose sender proved to be Alertmanager."""

_INTAKE = "/api/v1/alertmanager"
_PROBES = ("/-/healthy", "/-/ready", "/-/ready/act", "/metrics")
_DROPPED_BYTES = 256 * 1024
_DROPPED_SECONDS = 1.0
_FROM_ALERTMANAGER_SECONDS = 5.0


def certificate_names(request: web.Request) -> frozenset[str]:
    """The subject alternative names of the client certificate that was verified; none without one."""
    certificate = request.get_extra_info("peercert") or {}
    return frozenset(str(name) for _, name in certificate.get("subjectAltName", ()))


@web.middleware
async def unread_is_dropped(request: web.Request, handler: _Answering) -> web.StreamResponse:
    """Answer at once, then read a little of a body that was refused, so that its sender hears the answer; never all.

    What is left ends the connection. Who could be anybody must not keep us reading: of Alertmanager alone,
    which has to hear a 413 to give up, more is read.
    """
    response = await handler(request)
    if request.content.is_eof():
        return response
    known = request.get(ADMITTED, False)
    dropped = 0
    try:
        # Some send the body only when they heard nothing against it.
        await response.prepare(request)
        await response.write_eof()
        async with asyncio.timeout(_FROM_ALERTMANAGER_SECONDS if known else _DROPPED_SECONDS):
            while not request.content.is_eof() and (known or dropped < _DROPPED_BYTES):
                dropped += len(await request.content.readany())
    except (TimeoutError, web.RequestPayloadError, ConnectionError):
        pass
    return response


def as_configured(config: WebConfig) -> _Middleware:
    """Holds requests to what web.config.file allows: clients by their certificates, and how many there may be."""
    limiter = _Limiter(config)

    @web.middleware
    async def allowed(request: web.Request, handler: _Answering) -> web.StreamResponse:
        tls = config.read().tls
        if tls is not None and tls.client_allowed_sans:
            names = certificate_names(request)
            if request.get_extra_info("peercert") and names.isdisjoint(tls.client_allowed_sans):
                return problem(
                    403, "this certificate's names are not among client_allowed_sans of web.config.file"
                )
        of_alertmanager = request.path == _INTAKE or request.path.startswith(f"{_INTAKE}/")
        if not of_alertmanager and request.path not in _PROBES and not limiter.takes_one():
            return problem(429, "too many requests at once, by rate_limit of web.config.file", "Send fewer.")
        return await handler(request)

    return allowed


class _Limiter:
    """A bucket of `burst` requests, into which one more falls each `interval`."""

    def __init__(self, config: WebConfig) -> None:
        self._config = config
        self._left = 0.0
        self._at: float | None = None

    def takes_one(self) -> bool:
        """Whether there is room for one more now."""
        limit = self._config.read().rate_limit
        seconds = limit.interval.total_seconds()
        if not seconds:
            return True
        now = asyncio.get_running_loop().time()
        since = 0.0 if self._at is None else (now - self._at) / seconds
        self._left = float(limit.burst) if self._at is None else min(limit.burst, self._left + since)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
