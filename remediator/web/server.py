"""Puts the web part together and listens."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from remediator.errors import Permanent, Retryable
from remediator.store.database import DATABASE_ERRORS
from remediator.web.api import Api
from remediator.web.approvals import Approvals
from remediator.web.authentication import IntakeAuthentication
from remediator.web.breakers import OpenBreakers
from remediator.web.collaborators import Collaborators
from remediator.web.health import Health
from remediator.web.inbox import Inbox
from remediator.web.intake import SOURCE, AlertmanagerIntake
from remediator.web.pauses import Pauses
from remediator.web.responses import problem, try_again
from remediator.web.run_requests import RunRequests
from remediator.web.shadow import ShadowReport
from remediator.web.slos import ServiceLevels
from remediator.web.targets import Targets

_INTAKE_PATHS = (
    "/api/v1/alertmanager",
    "/api/v1/alertmanager/",
    "/api/v1/alertmanager/{source}",
    "/api/v1/alertmanager/{source}/",
)
"""Alertmanager may put labels into the path. They are accepted and mean nothing."""

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_KEEPALIVE_SECONDS = 75.0
_LINGERING_SECONDS = 5.0
_SHUTDOWN_SECONDS = 10.0

_Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


def make_application(collaborators: Collaborators) -> web.Application:
    """Everything this daemon answers. Call inside the event loop.

    Raises Permanent when nothing says who may post alerts.
    """
    settings = collaborators.settings
    inbox = Inbox(
        collaborators.database,
        collaborators.metrics,
        source=SOURCE,
        max_waiting=settings.intake.max_waiting_requests,
        stored=collaborators.stored,
    )
    intake = AlertmanagerIntake(
        settings.intake,
        IntakeAuthentication(settings.intake),
        inbox,
        collaborators.metrics,
        collaborators.of_another_cluster,
    )
    application = web.Application(
        middlewares=[_errors_as_json], client_max_size=settings.intake.max_body_bytes
    )
    application.add_routes([web.post(path, intake.receive) for path in _INTAKE_PATHS])
    application.add_routes(Health(collaborators).routes())
    people = collaborators.people
    application.add_routes(Api(collaborators, people).routes())
    application.add_routes(Pauses(collaborators, people).routes())
    application.add_routes(Approvals(collaborators, people).routes())
    application.add_routes(RunRequests(collaborators, people).routes())
    application.add_routes(OpenBreakers(collaborators, people).routes())
    application.add_routes(Targets(collaborators, people).routes())
    application.add_routes(ShadowReport(collaborators, people).routes())
    application.add_routes(ServiceLevels(collaborators, people).routes())
    application.on_response_prepare.append(_add_security_headers)

    async def finish_storing(_: web.Application) -> None:
        await inbox.close()

    application.on_cleanup.append(finish_storing)
    return application


@asynccontextmanager
async def listening(application: web.Application, address: str) -> AsyncIterator[str]:
    """Serve on `host:port` until the end of the block; the URL it can be reached at.

    An empty host is every interface, port 0 any free one. At the end, requests under way are still
    answered. Raises Permanent when the address cannot be listened on.
    """
    host, port = _host_and_port(address)
    runner = web.AppRunner(
        application,
        access_log=_log,
        access_log_class=_AccessLog,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        lingering_time=_LINGERING_SECONDS,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        handler_cancellation=False,  # a client that hangs up does not undo a commit under way
        auto_decompress=False,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host or None, port).start()
        except OSError as reason:
            raise Permanent(f"cannot listen on {address}: {reason.strerror or reason}") from reason
        name, bound, *_ = runner.addresses[0]
        yield f"http://[{name}]:{bound}" if ":" in name else f"http://{name}:{bound}"
    finally:
        await runner.cleanup()


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise Permanent(f"web.listen-address must be host:port, not {address!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


@web.middleware
async def _errors_as_json(request: web.Request, handler: _Answering) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return problem(error.status, error.reason, headers=kept)
    except Permanent as reason:
        return problem(409, reason.sentence)
    except Retryable as reason:
        return try_again(reason.sentence, reason.retry_after)
    except DATABASE_ERRORS as error:
        _log.warning("%s %s: %s", request.method, request.path, error)
        return try_again("the database does not answer", None)


async def _add_security_headers(_: web.Request, answer: web.StreamResponse) -> None:
    for name, value in _SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Server"] = "remediator"  # aiohttp has put its own name and version there


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
