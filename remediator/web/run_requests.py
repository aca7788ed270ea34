"""What people ask of runs over HTTP: start one, undo what one did, settle one, cancel one."""

import asyncio
import logging
from typing import Literal

from aiohttp import web
from pydantic import Field

from remediator.domain.asked import NotStarted, Started
from remediator.domain.duration import format_duration
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.run import State
from remediator.store import interventions
from remediator.store.interventions import NotMoved
from remediator.web.bodies import Reasoned, body_of
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import Answering, Routed, only_for

_DATABASE_SECONDS = 5.0
_LARGEST_ID = 2**63 - 1
_STATUS = {"no_such_thing": 404, "refused": 409, "not_now": 503}
_LIST = "`remediator runs list` shows those there are."

_log = logging.getLogger(__name__)


class _Start(Reasoned):
    rule: str = Field(max_length=63)
    target: str = Field(max_length=500)
    """kind/namespace/name"""
    mode: Literal["shadow", "ask", "act"] | None = None


class _Settle(Reasoned):
    applied: bool = Field(strict=True)


class RunRequests:
    """All of it takes the role operate."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._collaborators = collaborators
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [
            web.post("/api/v1/runs", self._for(self._start)),
            web.post(r"/api/v1/runs/{id:\d{1,19}}/undo", self._for(self._undo)),
            web.post(r"/api/v1/runs/{id:\d{1,19}}/settle", self._for(self._settle)),
            web.post(r"/api/v1/runs/{id:\d{1,19}}/cancel", self._for(self._cancel)),
        ]

    def _for(self, answer: Answering) -> Routed:
        return only_for(self._people, "operate", answer)

    async def _start(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(
            request, _Start, "Send rule, target (kind/namespace/name), why, and perhaps mode."
        )
        if isinstance(asked, web.Response):
            return asked
        try:
            answer = await self._collaborators.asked.start(
                asked.rule, asked.target, asked.mode, who.name, asked.why
            )
        except ValueError as wrong:
            return problem(400, f"target: {wrong}")
        return _made(answer, f"{who.name} asked for rule {asked.rule} on {asked.target}: {asked.why}")

    async def _undo(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(request, Reasoned, "Send why.")
        if isinstance(asked, web.Response):
            return asked
        answer = await self._collaborators.asked.undo(_id(request), who.name, asked.why)
        return _made(answer, f"{who.name} asked to undo run {_id(request)}: {asked.why}")

    async def _settle(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(request, _Settle, "Send applied (true or false) and why.")
        if isinstance(asked, web.Response):
            return asked
        run_id = _id(request)
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            self._collaborators.database.transaction() as connection,
        ):
            refused = await interventions.settle(connection, run_id, asked.applied, who.name, asked.why)
        if refused is not None:
            hint = "Only a run in UNKNOWN, of which nobody can tell whether it changed anything, is settled."
            return problem(409, _stands(run_id, refused), hint) if refused.state else _no_run(run_id)
        says = f"run {run_id} is settled: a new one may be planned on its target in {self._settles_in()}."
        if asked.applied:
            says += f" To take its change back: remediator runs undo {run_id}"
        return self._moved(run_id, State.ESCALATED, f"{who.name} settled run {run_id}: {asked.why}", says)

    async def _cancel(self, request: web.Request, who: Principal) -> web.Response:
        asked = await body_of(request, Reasoned, "Send why.")
        if isinstance(asked, web.Response):
            return asked
        run_id = _id(request)
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            self._collaborators.database.transaction() as connection,
        ):
            ended = await interventions.cancel(connection, run_id, who.name, asked.why)
        if isinstance(ended, NotMoved):
            return _not_cancelled(run_id, ended)
        says = (
            f"run {run_id} is cancelled before it changed anything more. Its alert may lead to another one in "
            f"{self._settles_in()}: `remediator pause --target` keeps that away."
        )
        return self._moved(run_id, ended, f"{who.name} cancelled run {run_id}: {asked.why}", says)

    def _settles_in(self) -> str:
        return format_duration(self._collaborators.settings.engine.settle)

    def _moved(self, run_id: int, state: State, text: str, says: str) -> web.Response:
        self._collaborators.metrics.transitions.labels(state).inc()
        _log.warning("%s", text)
        return document({"run": run_id, "state": state, "says": says})


def _made(answer: Started | NotStarted, text: str) -> web.Response:
    if isinstance(answer, NotStarted):
        return problem(_STATUS[answer.because], answer.why, answer.hint)
    _log.warning("%s", text)
    return document(answer.to_json(), status=201)


def _not_cancelled(run_id: int, refused: NotMoved) -> web.Response:
    if refused.state is None:
        return _no_run(run_id)
    if refused.state is State.UNKNOWN:
        hint = f"Say what became of its change: remediator runs settle {run_id} --applied, or --not-applied"
        return problem(409, _stands(run_id, refused), hint)
    if not refused.changing:
        return problem(409, _stands(run_id, refused), "There is nothing left to cancel.")
    if refused.state is State.ACTED:
        hint = f"To take it back: remediator runs undo {run_id} --why ..."
        return problem(409, f"run {run_id} has changed its target already", hint)
    hint = (
        f"Wait until `remediator runs show {run_id}` tells what became of it, then undo or settle it. "
        "`remediator pause` keeps anything else from being begun."
    )
    return problem(409, f"run {run_id} is changing its target at this moment", hint)


def _stands(run_id: int, refused: NotMoved) -> str:
    return f"run {run_id} is {refused.state}"


def _no_run(run_id: int) -> web.Response:
    return problem(404, f"there is no run {run_id}", _LIST)


def _id(request: web.Request) -> int:
    return min(int(request.match_info["id"]), _LARGEST_ID)
