"""Service level objectives over HTTP."""

from aiohttp import web

from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document
from remediator.web.roles import only_for


class ServiceLevels:
    """Takes the role view. Prometheus is asked each time: nothing of it is kept here."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._slos = collaborators.slos
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [web.get("/api/v1/slos", only_for(self._people, "view", self._list))]

    async def _list(self, request: web.Request, who: Principal) -> web.Response:
        return document({"slos": [each.to_json() for each in await self._slos.statuses()]})
