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


def only_for(people: People, role: Role, answer: Answering) -> Routed:
    """`answer` for those of `people` with this role; 401, 403 or 503 for everybody else."""

    async def routed(request: web.Request) -> web.Response:
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
