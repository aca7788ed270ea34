"""Lets through to an answer only those people who have the role for it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from remediator.errors import Retryable
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.settings.sections import Role
from remediator.web.responses import problem, try_again

Answering = Callable[[web.Request, Principal], Awaitable[web.Response]]
Routed = Callable[[web.Request], Awaitable[web.Response]]

_LOOKING = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})


def only_for(people: People, role: Role, answer: Answering) -> Routed:
    """`answer` for those of `people` with this role; 401, 403 or 503 for everybody else.

    What another site's page may make a browser send is refused (415, 403) before anybody is recognised.
    """

    async def routed(request: web.Request) -> web.Response:
        foreign = _from_another_site(request)
        if foreign is not None:
            return foreign
        try:
            who = await people.recognise(request.headers, role)
            holds = who is not None and await people.holds(who, role)
        except Retryable as reason:
            return try_again(reason.sentence, reason.retry_after)
        if who is None:
            hint = "Send the bearer token, or the password, of somebody that remediator.yml lets in."
            return problem(401, "you are not known", hint, {"WWW-Authenticate": people.challenge})
        if not holds:
            hint = "Roles are given under people in remediator.yml, to users of Kubernetes by RBAC."
            return problem(403, f"{who.name} lacks the role {role}", hint)
        return await answer(request, who)

    return routed


def _from_another_site(request: web.Request) -> web.Response | None:
    """The refusal of a change that a page somewhere else may have made a browser ask for.

    A browser adds remembered passwords to whatever any page posts. It asks us first, and is told no, before it sends
    JSON for another site: https://fetch.spec.whatwg.org/#cors-safelisted-request-header. Newer ones also say
    where a request comes from: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header.
    """
    if request.method in _LOOKING:
        return None
    if request.content_type != "application/json":
        hint = "Send Content-Type: application/json, also without a body."
        return problem(415, "what changes something has to be sent as JSON", hint)
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
        return problem(
            403, "a page of another site asked for this", "Ask for it with the command line or curl."
        )
    return None
