"""Service level objectives over HTTP."""

import asyncio

from aiohttp import web

from remediator.errors import Retryable
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document
from remediator.web.roles import only_for

_SECONDS = 12.0
"""Less than `remediator slo status` waits."""


class ServiceLevels:
    """Takes the role view. Prometheus is asked each time: nothing of it is kept here."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._slos = collaborators.slos
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [web.get("/api/v1/slos", only_for(self._people, "view", self._list))]

    async def _list(self, request: web.Request, who: Principal) -> web.Response:
        try:
            async with asyncio.timeout(_SECONDS):
                found = await self._slos.statuses()
        except TimeoutError:
            raise Retryable(f"Prometheus did not tell of all objectives within {_SECONDS:g} s") from None
        return document({"slos": [each.to_json() for each in found]})
