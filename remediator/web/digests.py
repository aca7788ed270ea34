"""Digests of a day or a week over HTTP."""

from aiohttp import web

from remediator.digest.section import Period
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import only_for

_PERIODS: dict[str, Period] = {"daily": "daily", "weekly": "weekly"}


class Digests:
    """Takes the role view. Every source is asked each time: nothing of it is kept here."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._digest = collaborators.digest
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [web.get("/api/v1/digests/{period}", only_for(self._people, "view", self._show))]

    async def _show(self, request: web.Request, who: Principal) -> web.Response:
        period = _PERIODS.get(request.match_info["period"])
        if period is None:
            return problem(404, "there is no digest of that period", "There are daily and weekly.")
        return document((await self._digest(period)).to_json())
