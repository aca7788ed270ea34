"""Pauses and freezes over HTTP: ask for one, list those that are open, end one."""

import asyncio
import logging
import re
from datetime import timedelta
from typing import Any

from aiohttp import web
from pydantic import (
    AwareDatetime,
    Field,
    field_validator,
    model_validator,
)

from remediator.domain.duration import Duration
from remediator.domain.switch import Scope
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.store import pauses
from remediator.store.database import Connection
from remediator.store.pauses import Asked, PauseRequest
from remediator.web.bodies import Reasoned, body_of
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem, try_again
from remediator.web.roles import only_for

_DATABASE_SECONDS = 5.0
_GATE_SECONDS = 12.0
_WHY = r"^[^\x00]*\S[^\x00]*$"
_NAME = r"[a-z][a-z0-9-]{0,61}[a-z0-9]"

_log = logging.getLogger(__name__)


class _Covered(Reasoned):
    """What every request to stand still says."""

    scope: Scope
    value: str = Field(default="", max_length=500, pattern=r"^[a-z0-9./-]*$")
    """The namespace, rule or kind/namespace/name; empty for everything."""
    name: str | None = Field(default=None, pattern=f"^{_NAME}$")
    """Made up when left out."""

    @field_validator("name")
    @classmethod
    def _is_not_made_up(cls, name: str | None) -> str | None:
        if name is not None and re.fullmatch(r"(pause|freeze)-\d+", name):
            raise ValueError("names like pause-7 are made up by the daemon")
        return name

    @model_validator(mode="after")
    def _names_what_it_covers(self) -> "_Covered":
        if (self.scope == "everything") != (self.value == ""):
            raise ValueError("every scope but everything needs a value, and everything takes none")
        if self.scope == "target":
            Target.parse(self.value, cluster="")
        return self


class _Pause(_Covered):
    """Now, until somebody ends it, or for so long."""

    lasts: Duration | None = Field(default=None, alias="for", gt=timedelta(0))


class _Freeze(_Covered):
    """From (or now) until."""

    begins: AwareDatetime | None = Field(default=None, alias="from")
    until: AwareDatetime


class Pauses:
    """Asking and ending takes the role operate, looking the role view."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._database = collaborators.database
        self._rules = collaborators.rules
        self._still_set = collaborators.still_set
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [
            web.get("/api/v1/pauses", only_for(self._people, "view", self._list)),
            web.post("/api/v1/pauses", only_for(self._people, "operate", self._pause)),
            web.post("/api/v1/freezes", only_for(self._people, "operate", self._freeze)),
            web.post("/api/v1/pauses/{name}/resume", only_for(self._people, "operate", self._resume)),
        ]

    async def _list(self, request: web.Request, who: Principal) -> web.Response:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.connection() as connection:
            return document({"pauses": await _open(connection)})

    async def _pause(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(request, _Pause, "Send scope, value, why, and for when it ends by itself.")
        if isinstance(asked, web.Response):
            return asked
        return await self._made(Asked(kind="pause", lasts=asked.lasts, **_said(asked, who)))

    async def _freeze(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(
            request, _Freeze, "Send scope, value, why, from and until (RFC 3339, with a zone)."
        )
        if isinstance(asked, web.Response):
            return asked
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.connection() as connection:
            now = await connection.fetchval("select remediator_now()")
        if asked.until <= max(now, asked.begins or now):
            return problem(
                400, "until: a freeze ends after it begins, and later than now", "Give another end."
            )
        return await self._made(
            Asked(kind="freeze", starts_at=asked.begins, until=asked.until, **_said(asked, who))
        )

    async def _made(self, asked: Asked) -> web.Response:
        if asked.scope == "rule" and asked.value not in {each.rule for each in self._rules()}:
            # Taken, it would stop nothing, and whoever asked would believe otherwise.
            return problem(404, f"no rule called {asked.value} is loaded", "GET /api/v1/rules lists them.")
        async with asyncio.timeout(_GATE_SECONDS), self._database.transaction() as connection:
            made = await pauses.request(connection, asked)
        if made is None:
            return problem(
                409, f"the name {asked.name} is taken", "GET /api/v1/pauses lists those that are open."
            )
        _log.warning("%s: %s", made.name, made.sentence)
        return document(made.shown(), status=201)

    async def _resume(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(request, Reasoned, "Send why.")
        if isinstance(asked, web.Response):
            return asked
        name = request.match_info["name"]
        pause = await self._named(name) if re.fullmatch(rf"{_NAME}|\d+", name) else None
        if pause is None:
            return _not_open(name)
        try:
            still = await self._still_set(pause)
        except RemediatorError as reason:
            return try_again(
                f"whether {pause.covers} is still paused cannot be known: {reason.sentence}", None
            )
        if still is not None:
            return problem(409, still, "What stops the daemon has to be gone before it is told to go on.")
        return await self._end(pause, who, asked.why)

    async def _named(self, name: str) -> PauseRequest | None:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.connection() as connection:
            return await pauses.named(connection, name)

    async def _end(self, pause: PauseRequest, who: Principal, why: str) -> web.Response:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as connection:
            if not await pauses.clear(connection, pause, who.name, why):
                return _not_open(pause.name)
            left = await _open(connection)
        _log.warning("%s ended %s of %s: %s", who.name, pause.name, pause.covers, why)
        return document({"ended": pause.shown(), "pauses": left})


async def _open(connection: Connection) -> list[JsonObject]:
    return [each.shown() for each in await pauses.open_pauses(connection)]


def _said(asked: _Covered, who: Principal) -> dict[str, Any]:
    return {"who": who.name, **asked.model_dump(include={"scope", "value", "why", "name"})}


def _not_open(name: str) -> web.Response:
    return problem(404, f"no pause or freeze {name} is open", "GET /api/v1/pauses lists those that are.")
