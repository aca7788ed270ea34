"""The JSON API for people and the command line. GET changes nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from remediator.domain.rule_mode import RuleMode
from remediator.domain.value import JsonObject, Value
from remediator.errors import Permanent
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.run import State
from remediator.settings.sections import Role
from remediator.store import approvals, attempts, episodes, incidents, journal, rule_versions, runs
from remediator.store.database import Connection
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import Answering, Routed, only_for

_DATABASE_SECONDS = 5.0
_LARGEST_LIMIT = 1000
_LARGEST_ID = 2**63 - 1

_log = logging.getLogger(__name__)


class Api:
    """Every answer is for a person who has the role for it."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._collaborators = collaborators
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers, and the role each takes."""
        return [
            web.get("/api/v1/runs", self._for("view", self._runs)),
            web.get(r"/api/v1/runs/{id:\d{1,19}}", self._for("view", self._run)),
            web.get("/api/v1/incidents", self._for("view", self._incidents)),
            web.get(r"/api/v1/incidents/{id:\d{1,19}}", self._for("view", self._incident)),
            web.get("/api/v1/episodes", self._for("view", self._episodes)),
            web.get("/api/v1/rules", self._for("view", self._rules)),
            web.post("/api/v1/rules/{digest}/approve", self._for("approve", self._approve_rule)),
            web.post("/-/reload", self._for("operate", self._reload)),
        ]

    def _for(self, role: Role, answer: Answering) -> Routed:
        return only_for(self._people, role, answer)

    async def _runs(self, request: web.Request, who: Principal) -> web.Response:
        state = request.query.get("state")
        if state is not None and state not in list(State):
            return problem(400, "there is no such state", f"One of {', '.join(State)}.")
        limit = _limit(request)
        async with self._reading() as connection:
            found = await runs.recent(connection, limit=limit, state=state)
        return document({"runs": _values(found)})

    async def _run(self, request: web.Request, who: Principal) -> web.Response:
        run_id = _id(request)
        async with self._reading() as connection:
            run = await runs.find(connection, run_id)
            if run is None:
                return problem(404, f"there is no run {run_id}")
            beside = await runs.of_incident(connection, run.incident_id)
            lines = await journal.of_run(connection, run_id)
            tried = await attempts.of_run(connection, run_id)
            asked = await approvals.of_run(connection, run_id)
        (summary,) = [each for each in beside if each.id == run_id]
        return document(
            {
                "run": summary.to_json(),
                "rung": run.rung,
                "rule": run.rule.model_dump(mode="json"),
                "plan": None if run.plan is None else run.plan.to_json(),
                "approvals": _values(asked),
                "attempts": _values(tried),
                "journal": _values(lines),
            }
        )

    async def _incidents(self, request: web.Request, who: Principal) -> web.Response:
        limit = _limit(request)
        async with self._reading() as connection:
            found = await incidents.recent(connection, limit=limit)
        return document({"incidents": _values(found)})

    async def _incident(self, request: web.Request, who: Principal) -> web.Response:
        incident_id = _id(request)
        async with self._reading() as connection:
            incident = await incidents.find(connection, incident_id)
            if incident is None:
                return problem(404, f"there is no incident {incident_id}")
            content = {
                "incident": incident.to_json(),
                "episodes": _values(await episodes.of_incident(connection, incident_id)),
                "runs": _values(await runs.of_incident(connection, incident_id)),
                "journal": _values(await journal.of_incident(connection, incident_id)),
            }
        return document(content)

    async def _episodes(self, request: web.Request, who: Principal) -> web.Response:
        limit = _limit(request)
        async with self._reading() as connection:
            found = await episodes.recent(connection, limit=limit)
        return document({"episodes": _values(found)})

    async def _rules(self, request: web.Request, who: Principal) -> web.Response:
        settings = self._collaborators.settings
        async with asyncio.timeout(_DATABASE_SECONDS):
            modes = await self._collaborators.rule_modes()
        owners = {each.rule: each.owner for each in self._collaborators.rules()}
        return document(
            {
                "ceiling": settings.effective_ceiling,
                "ceilings": dict(settings.ceilings),
                "rules": [_rule(each, owners.get(each.rule)) for each in modes],
            }
        )

    async def _approve_rule(self, request: web.Request, who: Principal) -> web.Response:
        digest = request.match_info["digest"]
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            self._collaborators.database.transaction() as connection,
        ):
            version = await rule_versions.approve(connection, digest, who.name)
            if version is None:
                return problem(
                    404, "no rule with this digest was ever loaded", "GET /api/v1/rules lists them."
                )
            text = f"{who.name} approved {version.rule} {digest}"
            await journal.append(connection, "approval", text, {"digest": digest, "who": who.name})
        _log.info("%s", text)
        return document(version.to_json())

    async def _reload(self, request: web.Request, who: Principal) -> web.Response:
        try:
            sentence = await self._collaborators.reload()
        except Permanent as reason:
            return problem(
                409, reason.sentence, "Mend the rules and reload; those loaded before stay in force."
            )
        _log.info("%s reloaded: %s", who.name, sentence)
        return document({"reloaded": sentence})

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            self._collaborators.database.connection() as connection,
        ):
            yield connection


def _rule(mode: RuleMode, owner: str | None) -> JsonObject:
    return {
        "rule": mode.rule,
        "mode": mode.configured,
        "effective": mode.effective,
        "why": mode.why,
        "owner": owner,
        **mode.standing.to_json(),
    }


def _values(values: Iterable[Value]) -> Sequence[JsonObject]:
    return [each.to_json() for each in values]


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "50")
    if text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= _LARGEST_LIMIT:
        return int(text)
    raise web.HTTPBadRequest(reason=f"limit must be a number from 1 to {_LARGEST_LIMIT}; left out, it is 50")


def _id(request: web.Request) -> int:
    return min(int(request.match_info["id"]), _LARGEST_ID)
