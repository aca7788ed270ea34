"""What a source may do instead of answering: thirteen outcomes, each made by the source itself over real HTTP."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from remediator.sandbox.kubernetes.answers import Answer, Stream
from remediator.sandbox.kubernetes.faults import (
    Action,
    AnswerStatus,
    DropBeforeApplying,
    Dropped,
    Exchange,
    HalfBody,
    HangBeforeApplying,
    Reply,
)

OUTCOMES = (
    "allow",
    "refuse",
    "raises",
    "times out",
    "empty",
    "NaN",
    "stale",
    "malformed",
    "401 or 403",
    "404",
    "429",
    "500",
    "half a page",
)
HANGS = "times out"

NOT_PRODUCED: Mapping[tuple[str, str], str] = {
    ("kubernetes", "NaN"): "the numbers that are read of objects are whole",
    (
        "kubernetes",
        "stale",
    ): "reads name no resourceVersion and are answered from etcd; a controller that is behind "
    "is a situation of its own",
    ("alertmanager", "NaN"): "it tells states and times",
    (
        "alertmanager",
        "stale",
    ): "it drops an alert that is no longer repeated; monitoring_fresh judges the Watchdog",
    ("database", "empty"): "no rows are an answer, judged by each guard's own tests",
    ("database", "NaN"): "counts are whole numbers",
    ("database", "stale"): "what happened does not grow old; windows are counted by the database's own clock",
    ("database", "malformed"): "columns have types, and nobody else writes them",
    ("database", "401 or 403"): "the daemon does not start without its rights (docs/operating.md, doctor)",
    ("database", "404"): "the daemon does not start without its tables",
    ("database", "429"): "a full server refuses the connection, which is `raises`",
    ("database", "500"): "a failing server cuts the connection, which is `raises`",
    ("database", "half a page"): "a statement's rows come whole, or the statement fails",
}
"""What a source cannot do, and why; such cells are not counted."""


@dataclass(frozen=True)
class Garbled(Action):
    """The answer as usual, but for one part of it, or of each of its items."""

    part: str

    async def play(self, exchange: Exchange) -> Reply:
        answer = exchange.apply()
        if not isinstance(answer, Answer) or not isinstance(answer.body, dict):
            return Answer(200, {"kind": "List", "metadata": {}, "items": [{self.part: 5}]})
        body = dict(answer.body)
        if isinstance(body.get("items"), list):
            body["items"] = [{**each, self.part: 5} for each in body["items"]] or [{self.part: 5}]
        else:
            body[self.part] = 5
        return Answer(answer.code, body, answer.headers)


class Absent(Action):
    """The API server says that there is no such object, or no such kind."""

    async def play(self, exchange: Exchange) -> Reply:
        answer = exchange.apply()
        if isinstance(answer, Answer) and isinstance(answer.body, dict) and "items" not in answer.body:
            name = exchange.call.path.rsplit("/", 1)[-1]
            status = {"kind": "Status", "reason": "NotFound", "details": {"name": name}, "code": 404}
            return Answer(404, {**status, "message": f"{name} not found"})
        return Answer(404, "404 page not found\n")


class SecondPageLost(Action):
    """A list goes on on another page, which never comes."""

    async def play(self, exchange: Exchange) -> Reply:
        if exchange.call.query.get("continue"):
            return Dropped()
        answer = exchange.apply()
        if isinstance(answer, Stream) or not isinstance(answer.body, dict) or "items" not in answer.body:
            return Dropped()
        metadata = {**answer.body["metadata"], "continue": "more"}
        return Answer(answer.code, {**answer.body, "metadata": metadata}, answer.headers)


class TokenLost(Action):
    """A list says how many more there are, and not where."""

    async def play(self, exchange: Exchange) -> Reply:
        answer = exchange.apply()
        if isinstance(answer, Stream) or not isinstance(answer.body, dict) or "items" not in answer.body:
            return Dropped()
        metadata = {**answer.body["metadata"], "remainingItemCount": 7}
        return Answer(answer.code, {**answer.body, "metadata": metadata}, answer.headers)


def status(code: int, reason: str) -> AnswerStatus:
    return AnswerStatus(code, reason)


KUBERNETES: Mapping[str, tuple[Action, ...]] = {
    "raises": (DropBeforeApplying(),),
    HANGS: (HangBeforeApplying(),),
    "empty": (AnswerStatus(200, body=""), AnswerStatus(200, body={})),
    "malformed": (
        AnswerStatus(200, body="<html>welcome</html>"),
        Garbled("metadata"),
        Garbled("spec"),
        Garbled("status"),
    ),
    "401 or 403": (status(401, "Unauthorized"), status(403, "Forbidden")),
    "404": (Absent(),),
    "429": (status(429, "TooManyRequests"),),
    "500": (status(500, "InternalError"), status(503, "ServiceUnavailable")),
    "half a page": (HalfBody(), SecondPageLost(), TokenLost()),
}

Interference = Callable[[web.Request, "Usual"], Awaitable[web.StreamResponse]]
Usual = Callable[[web.Request], Awaitable[web.StreamResponse]]


def text(body: str, code: int = 200) -> Interference:
    async def answer(request: web.Request, usual: Usual) -> web.StreamResponse:
        return web.Response(status=code, text=body, content_type="application/json")

    return answer


def changed(change: Callable[[Any], Any]) -> Interference:
    """The usual document with something done to it."""

    async def answer(request: web.Request, usual: Usual) -> web.StreamResponse:
        response = await usual(request)
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        return web.json_response(change(json.loads(response.body)))

    return answer


async def drop(request: web.Request, usual: Usual) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half(request: web.Request, usual: Usual) -> web.StreamResponse:
    whole = await usual(request)
    assert isinstance(whole, web.Response)
    assert isinstance(whole.body, bytes)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(whole.body)
    await response.prepare(request)
    await response.write(whole.body[: len(whole.body) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


def refusals(codes: tuple[int, ...]) -> tuple[Interference, ...]:
    return tuple(text("no\n", code) for code in codes)


_USUAL: Mapping[str, tuple[Interference, ...]] = {
    "raises": (drop,),
    "401 or 403": refusals((401, 403)),
    "404": refusals((404,)),
    "429": refusals((429,)),
    "500": refusals((500, 503)),
    "half a page": (half,),
}
ALERTMANAGER: Mapping[str, tuple[Interference, ...]] = {
    **_USUAL,
    "empty": (text(""), text("[]")),
    "malformed": (
        text("<html>"),
        text('{"alerts": []}'),
        changed(lambda alerts: [{**each, "status": {"state": "firing"}} for each in alerts]),
        changed(lambda alerts: [{**each, "labels": 5} for each in alerts]),
    ),
}


def _with_values(change: Callable[[list[Any]], list[Any]]) -> Interference:
    """Of a query's answer every sample is another; other answers lose what they hold."""

    def changing(document: Any) -> Any:
        result = document["data"].get("result")
        if result is None:
            return {**document, "data": {"groups": [{"rules": [{"type": "alerting"}]}]}}
        return {
            **document,
            "data": {
                **document["data"],
                "result": [{**each, "value": change(each["value"])} for each in result],
            },
        }

    return changed(changing)


PROMETHEUS: Mapping[str, tuple[Interference, ...]] = {
    **_USUAL,
    "empty": (text(""), text('{"status": "success", "data": {"resultType": "vector", "result": []}}')),
    "NaN": (_with_values(lambda pair: [pair[0], "NaN"]), _with_values(lambda pair: [pair[0], "+Inf"])),
    "stale": (_with_values(lambda pair: [pair[0] - 3600, pair[1]]),),
    "malformed": (text("<html>"), _with_values(lambda pair: [pair[0], "many"])),
    "half a page": (half, changed(lambda document: {**document, "warnings": ["a store did not answer"]})),
}
