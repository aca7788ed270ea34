"""Listens: sockets, TLS, and a line in the log for each request."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from remediator.errors import Permanent
from remediator.people.web_config import WebConfig

_KEEPALIVE_SECONDS = 75.0
_SHUTDOWN_SECONDS = 10.0

_log = logging.getLogger(__name__)


@asynccontextmanager
async def listening(
    application: web.Application, address: str, config: WebConfig | None = None
) -> AsyncIterator[str]:
    """Serve on `host:port` until the end of the block, by TLS where web.config.file says so; the URL of it.

    An empty host is every interface, port 0 any free one. At the end, requests under way are still
    answered. Raises Permanent when the address cannot be listened on.
    """
    host, port = _host_and_port(address)
    tls = _Current(config) if config is not None and config.read().tls is not None else None
    runner = web.AppRunner(
        application,
        access_log=_log,
        access_log_class=_AccessLog,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        lingering_time=0,  # what is not read of a body is seen to by web/gate
        shutdown_timeout=_SHUTDOWN_SECONDS,
        handler_cancellation=False,  # a client that hangs up does not undo a commit under way
        auto_decompress=False,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host or None, port, ssl_context=tls).start()
        except OSError as reason:
            raise Permanent(f"cannot listen on {address}: {reason.strerror or reason}") from reason
        name, bound, *_ = runner.addresses[0]
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://[{name}]:{bound}" if ":" in name else f"{scheme}://{name}:{bound}"
    finally:
        await runner.cleanup()


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise Permanent(f"web.listen-address must be host:port, not {address!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


class _AccessLog(AbstractAccessLogger):
    """One structured line a request, at level debug."""

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        fields = {
            "remote": request.remote,
            "method": request.method,
            "path": request.path,
            "status": response.status,
            "seconds": round(time, 6),
        }
        self.logger.debug("request", extra={"fields": fields})


class _Current(ssl.SSLContext):
    """Gives every new connection the TLS of web.config.file as it is then; those that are open keep theirs."""

    _config: WebConfig

    def __new__(cls, config: WebConfig) -> "_Current":
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._config = config
        return made

    def __init__(self, config: WebConfig) -> None:
        super().__init__()

    def wrap_bio(self, *of: Any, **how: Any) -> ssl.SSLObject:
        """What asyncio asks of a context when somebody connects."""
        current = self._config.read().context
        assert current is not None  # whether TLS is spoken changes only with a restart
        return current.wrap_bio(*of, **how)
