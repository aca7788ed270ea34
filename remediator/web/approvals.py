"""People's yes and no to what a run would do. Only POST answers: what merely follows links never approves."""

import asyncio
import logging
from datetime import datetime

from aiohttp import web
from pydantic import Field

from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.store import approvals, journal, runs
from remediator.store.approvals import ApprovalRequest
from remediator.store.database import Connection
from remediator.web.bodies import Body, Reasoned, body_of
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import Answering, Routed, only_for

_DATABASE_SECONDS = 5.0
_LARGEST_ID = 2**63 - 1
_REASON = r"^[^\x00]*$"

_log = logging.getLogger(__name__)


class _Yes(Body):
    """An approval."""

    digest: str = Field(min_length=1, max_length=64)
    """The plan that was read: a yes to one is none to another."""
    why: str = Field(default="", max_length=1000, pattern=_REASON)


class _No(Reasoned):
    """A refusal."""

    digest: str | None = Field(default=None, min_length=1, max_length=64)


_HINT = "Send {digest, why}; why may be left out of a yes."


class Approvals:
    """Both answers take the role approve."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._database = collaborators.database
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [
            web.post(r"/api/v1/runs/{id:\d{1,19}}/approve", self._for(self._approve)),
            web.post(r"/api/v1/runs/{id:\d{1,19}}/decline", self._for(self._decline)),
        ]

    def _for(self, answer: Answering) -> Routed:
        return only_for(self._people, "approve", answer)

    async def _approve(self, request: web.Request, who: Principal) -> web.Response:
        body = await body_of(request, _Yes, _HINT)
        if isinstance(body, web.Response):
            return body
        return await self._answer(request, who, body)

    async def _decline(self, request: web.Request, who: Principal) -> web.Response:
        body = await body_of(request, _No, _HINT)
        if isinstance(body, web.Response):
            return body
        return await self._answer(request, who, body)

    async def _answer(self, request: web.Request, who: Principal, said: _Yes | _No) -> web.Response:
        run_id = min(int(request.match_info["id"]), _LARGEST_ID)
        yes = isinstance(said, _Yes)
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as connection:
            run = await runs.standing(connection, run_id)
            if run is None:
                return problem(404, f"there is no run {run_id}")
            asked = await approvals.open_request(connection, run_id, lock=True)
            if asked is None or asked.rung != run.rung or not run.may_be_answered:
                return await _not_asked(connection, run_id, run.state, said.digest)
            now = await approvals.now(connection)
            refused = _refused(asked, said, now) or (_not_theirs(asked, who) if yes else None)
            if refused is not None:
                return refused
            await approvals.answer(connection, asked, who, yes=yes, why=said.why)
            text = f"{who.name} {'agreed to' if yes else 'said no to'} plan {asked.digest}"
            text += f": {said.why}" if said.why else ""
            details = {"who": who.name, "proof": who.proof, "digest": asked.digest, "yes": yes}
            await journal.append(
                connection, "approval", text, details, incident_id=run.incident_id, run_id=run_id
            )
            answered = await approvals.open_request(connection, run_id)
        _log.warning("run %s: %s", run_id, text)
        return document(answered.to_json() if answered is not None else {})


def _refused(asked: ApprovalRequest, said: _Yes | _No, now: datetime) -> web.Response | None:
    """Why nobody's answer is taken now, if it is not."""
    hint = f"GET /api/v1/runs/{asked.run_id} shows the plan."
    if said.digest is not None and said.digest != asked.digest:
        return problem(
            409,
            f"the plan of run {asked.run_id} is {asked.digest}, not {said.digest}",
            f"Read it and answer to {asked.digest}: {hint}",
        )
    if asked.used_at is not None:
        why = f"the approval of plan {asked.digest} was used at {asked.used_at:%H:%M:%S} UTC"
        return problem(409, why, "What is under way is stopped by a pause, as far as it can be.")
    if asked.no is not None:
        return problem(409, f"{asked.no.who} said no to plan {asked.digest}: {asked.no.why}", hint)
    if asked.expires_at <= now:
        return problem(409, f"the request expired at {asked.expires_at:%H:%M:%S} UTC", hint)
    return None


def _not_theirs(asked: ApprovalRequest, who: Principal) -> web.Response | None:
    """Why this person's yes is not taken, if it is not."""
    if any(each.who == who.name for each in asked.yes):
        hint = "Somebody else has to." if len(asked.yes) < asked.people else "Nobody else has to."
        return problem(409, f"{who.name} agreed to plan {asked.digest} already", hint)
    if asked.not_the_requester and who.name == asked.requester:
        why = f"{who.name} asked for this run; {asked.people} others have to agree"
        return problem(403, why, "Somebody else with the role approve has to.")
    return None


async def _not_asked(connection: Connection, run_id: int, state: str, digest: str | None) -> web.Response:
    """409: the run asks for nothing, or for nothing any more."""
    for each in reversed(await approvals.of_run(connection, run_id)):
        if digest in (None, each.digest):
            fate = (
                f"was used at {each.used_at:%H:%M:%S} UTC" if each.used_at else each.closed_why or "is over"
            )
            return problem(409, f"run {run_id} is {state}; its request for plan {each.digest}: {fate}")
    return problem(409, f"run {run_id} is {state} and asks nobody for anything")
