"""Puts the web part together: who answers what, and what is true of every answer."""

import logging
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from remediator.errors import Permanent, Retryable
from remediator.people.web_config import WebConfig
from remediator.settings.process_role import EVERY_ROUTE, Routes
from remediator.store.database import DATABASE_ERRORS
from remediator.web.api import Api
from remediator.web.approvals import Approvals
from remediator.web.authentication import IntakeAuthentication
from remediator.web.breakers import OpenBreakers
from remediator.web.collaborators import Collaborators, OfIntake
from remediator.web.digests import Digests
from remediator.web.gate import as_configured, unread_is_dropped
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

_OF_PEOPLE = (
    Api,
    Pauses,
    Approvals,
    RunRequests,
    OpenBreakers,
    Targets,
    ShadowReport,
    ServiceLevels,
    Digests,
)
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


def make_application(collaborators: OfIntake, routes: Collection[Routes] = EVERY_ROUTE) -> web.Application:
    """What is answered at one address; what people ask takes Collaborators. Call inside the event loop.

    Raises Permanent when nothing says who may post alerts.
    """
    config = collaborators.web_config
    if config is not None:
        config.on_reload = collaborators.metrics.web_config_reloaded
    application = web.Application(
        middlewares=[
            unread_is_dropped,
            _errors_as_json,
            *(() if config is None else (as_configured(config),)),
        ],
        client_max_size=collaborators.settings.intake.max_body_bytes,
    )
    if "intake" in routes:
        _add_intake(application, collaborators)
    if "health" in routes:
        application.add_routes(Health(collaborators).routes())
    if "people" in routes:
        assert isinstance(collaborators, Collaborators)  # a process of role intake answers no people
        for each in _OF_PEOPLE:
            application.add_routes(each(collaborators, collaborators.people).routes())
    application.on_response_prepare.append(_security_headers(config))
    return application


def _add_intake(application: web.Application, collaborators: OfIntake) -> None:
    settings = collaborators.settings.intake
    inbox = Inbox(
        collaborators.database,
        collaborators.metrics,
        source=SOURCE,
        max_waiting=settings.max_waiting_requests,
        stored=collaborators.stored,
    )
    tls = None if collaborators.web_config is None else collaborators.web_config.read().tls
    intake = AlertmanagerIntake(
        settings,
        IntakeAuthentication(settings, certificates=tls is not None and tls.verifies_clients),
        inbox,
        collaborators.metrics,
        collaborators.of_another_cluster,
    )
    application.add_routes([web.post(path, intake.receive) for path in _INTAKE_PATHS])

    async def finish_storing(_: web.Application) -> None:
        await inbox.close()

    application.on_cleanup.append(finish_storing)


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


def _security_headers(
    config: WebConfig | None,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def add(_: web.Request, answer: web.StreamResponse) -> None:
        for name, value in {**_SECURITY_HEADERS, **(config.read().http.headers if config else {})}.items():
            answer.headers.setdefault(name, value)
        answer.headers["Server"] = "remediator"  # aiohttp has put its own name and version there

    return add
