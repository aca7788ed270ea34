"""Pauses over HTTP: ask for one, list those in force, end one."""

import asyncio
import logging
from datetime import timedelta

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from remediator.domain.duration import Duration
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.store import journal, pauses
from remediator.store.database import Connection
from remediator.store.pauses import Scope
from remediator.web import strict_json
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import only_for

_DATABASE_SECONDS = 5.0
_LARGEST_ID = 2**63 - 1

_log = logging.getLogger(__name__)


class _Asked(BaseModel):
    """The body of a request for a pause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Scope
    value: str = Field(default="", max_length=500, pattern=r"^[a-z0-9./-]*$")
    """The namespace, rule or kind/namespace/name; empty for everything."""
    why: str = Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$")
    lasts: Duration | None = Field(default=None, alias="for", gt=timedelta(0))
    """None means until somebody ends it."""

    @model_validator(mode="after")
    def _names_what_it_covers(self) -> "_Asked":
        if (self.scope == "everything") != (self.value == ""):
            raise ValueError("every scope but everything needs a value, and everything takes none")
        if self.scope == "target":
            Target.parse(self.value, cluster="")
        return self


class Pauses:
    """Asking and ending takes the role operate, looking the role view."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._database = collaborators.database
        self._rules = collaborators.rules
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [
            web.get("/api/v1/pauses", only_for(self._people, "view", self._list)),
            web.post("/api/v1/pauses", only_for(self._people, "operate", self._pause)),
            web.delete(r"/api/v1/pauses/{id:\d{1,19}}", only_for(self._people, "operate", self._resume)),
        ]

    async def _list(self, request: web.Request, who: Principal) -> web.Response:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.connection() as connection:
            return document({"pauses": await _in_force(connection)})

    async def _pause(self, request: web.Request, who: Principal) -> web.Response:
        try:
            asked = _Asked.model_validate(strict_json.parse(await request.read()))
        except Permanent as reason:
            return problem(400, reason.sentence)
        except ValidationError as mistakes:
            first = mistakes.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the pause"
            hint = "Send scope (everything, namespace, rule, target), value, why, and for when it ends by itself."
            return problem(400, f"{where}: {first['msg']}", hint)
        if asked.scope == "rule" and asked.value not in {each.rule for each in self._rules()}:
            # Taken, it would pause nothing, and whoever asked would believe otherwise.
            return problem(404, f"no rule called {asked.value} is loaded", "GET /api/v1/rules lists them.")
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as connection:
            until = None
            if asked.lasts is not None:
                until = await connection.fetchval("select remediator_now() + $1::interval", asked.lasts)
            pause_id = await pauses.request(connection, asked.scope, asked.value, who.name, asked.why, until)
            text = f"{who.name} paused {asked.scope} {asked.value}".strip() + f": {asked.why}"
            await journal.append(connection, "pause", text, {"pause": pause_id, "who": who.name})
            (made,) = [each for each in await _in_force(connection) if each["id"] == pause_id]
        _log.warning("%s", text)
        return document(made, status=201)

    async def _resume(self, request: web.Request, who: Principal) -> web.Response:
        pause_id = min(int(request.match_info["id"]), _LARGEST_ID)
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as connection:
            if not await pauses.clear(connection, pause_id, who.name):
                return problem(
                    404, f"no pause {pause_id} is open", "GET /api/v1/pauses lists those in force."
                )
            text = f"{who.name} ended pause {pause_id}"
            await journal.append(connection, "pause", text, {"pause": pause_id, "who": who.name})
            left = await _in_force(connection)
        _log.warning("%s", text)
        return document({"ended": pause_id, "pauses": left})


async def _in_force(connection: Connection) -> list[JsonObject]:
    return [each.to_json() for each in await pauses.open_pauses(connection)]
