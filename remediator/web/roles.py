"""Lets through to an answer only those people who have the role for it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from remediator.errors import Retryable
from remediator.settings.sections import Role
from remediator.web.authentication import People, Principal
from remediator.web.responses import problem, try_again

Answering = Callable[[web.Request, Principal], Awaitable[web.Response]]
Routed = Callable[[web.Request], Awaitable[web.Response]]

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="remediator"'}


def only_for(people: People, role: Role, answer: Answering) -> Routed:
    """`answer` for those of `people` with this role; 401, 403 or 503 for everybody else."""

    async def routed(request: web.Request) -> web.Response:
        try:
            who = people.recognise(request.headers)
        except Retryable as reason:
            return try_again(reason.sentence, reason.retry_after)
        if who is None:
            hint = "Send the token of somebody listed under people in remediator.yml as a bearer token."
            return problem(401, "you are not known", hint, _CHALLENGE)
        if role not in who.roles:
            hint = "Roles are given under people in remediator.yml."
            return problem(403, f"{who.name} lacks the role {role}", hint)
        return await answer(request, who)

    return routed
