"""Breakers over HTTP: which targets are left to people, and that acting may go on there."""

import asyncio
import logging

from aiohttp import web

from remediator.domain.target import Target, misnamed
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.store import breakers, journal
from remediator.web.bodies import Reasoned, body_of
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import only_for

_DATABASE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class OpenBreakers:
    """Closing takes the role operate, looking the role view."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._database = collaborators.database
        self._cluster = collaborators.settings.cluster.name
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        close = only_for(self._people, "operate", self._close)
        return [
            web.get("/api/v1/breakers", only_for(self._people, "view", self._list)),
            web.post("/api/v1/breakers/{kind}/{namespace}/{name}/close", close),
        ]

    async def _list(self, request: web.Request, who: Principal) -> web.Response:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.connection() as connection:
            found = await breakers.all_open(connection)
        return document({"breakers": [each.to_json() for each in found]})

    async def _close(self, request: web.Request, who: Principal) -> web.Response:
        kind, namespace, name = (request.match_info[part] for part in ("kind", "namespace", "name"))
        wrong = misnamed(kind, namespace, name)
        if wrong is not None:
            return problem(400, wrong, "Post to /api/v1/breakers/KIND/NAMESPACE/NAME/close.")
        asked = await body_of(request, Reasoned, 'Send {"why": "..."}.')
        if isinstance(asked, web.Response):
            return asked
        target = Target(cluster=self._cluster, kind=kind, namespace=namespace, name=name)
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as connection:
            closed = await breakers.close(connection, target, who.name, asked.why)
            if closed is None:
                hint = "GET /api/v1/breakers lists those that are open."
                return problem(404, f"the breaker of {target} is not open", hint)
            text = f"{who.name} closed the breaker of {target}: {asked.why}"
            details = {"breaker": closed.id, "who": who.name, "why": asked.why}
            await journal.append(connection, "breaker", text, details)
        _log.warning("%s", text)
        return document(closed.to_json())
