"""A stand-in for Prometheus' query API: answers come from a table, what it was asked is remembered.

Of the past it knows the samples it was given; a range selector (`up{job="x"}[5m]`) is answered with them.

After web/api/v1/api.go of prometheus/prometheus. A query nobody gave an answer for is an empty
vector, as it is for a metric that does not exist.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from remediator.sandbox.loopback_server import LoopbackServer

Number = float | Callable[[], float]
Series = tuple[Mapping[str, str], Number]

_RANGE_SELECTOR = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<labels>.*)\}\[(?P<seconds>\d+)s\]")
_EQUALS = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Recorded:
    """Samples of one series that were scraped: moments as aware UTC datetimes, oldest first."""

    labels: Mapping[str, str]
    """With `__name__`."""
    samples: Sequence[tuple[datetime, float]]


@dataclass(frozen=True)
class AlertingRule:
    """One alerting rule, as /api/v1/rules shows it; `duration` is its `for` in seconds."""

    name: str
    query: str = "vector(1)"
    duration: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    state: str = "inactive"


@dataclass(frozen=True)
class _Failure:
    status: int
    error_type: str
    error: str


class Prometheus(LoopbackServer):
    """One Prometheus; see LoopbackServer for `url`, start, stop, `status` and `delay`.

    `clock` answers the present as an aware UTC datetime and stamps every sample.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._answers: dict[str, Sequence[Series] | _Failure] = {}
        self.asked: list[str] = []
        """Every query, in order."""
        self.rules: list[AlertingRule] = []
        self.metrics: set[str] = set()
        """The names it has series of."""

        self.past: list[Recorded] = []
        self.ranges: dict[str, Sequence[Recorded]] = {}
        """What a range query gives, by the query: of these samples those within the range."""
        super().__init__(
            [
                web.get("/api/v1/query", self._query),
                web.post("/api/v1/query", self._query),
                web.get("/api/v1/query_range", self._query_range),
                web.post("/api/v1/query_range", self._query_range),
                web.get("/api/v1/rules", self._get_rules),
                web.get("/api/v1/label/__name__/values", self._names),
                web.get("/api/v1/series", self._series),
                web.get("/api/v1/status/buildinfo", self._build_info),
                web.get("/-/ready", self._ok),
                web.get("/-/healthy", self._ok),
            ]
        )

    def answer(self, query: str, value: Number | Sequence[Series]) -> None:
        """From now on `query` answers this number, or these series; a callable is asked each time."""
        self._answers[query] = value if isinstance(value, Sequence) else [({}, value)]

    def fail(self, query: str, status: int, error_type: str, error: str) -> None:
        """From now on `query` fails, for example with 422, `execution` and a sentence."""
        self._answers[query] = _Failure(status, error_type, error)

    async def _query(self, request: web.Request) -> web.Response:
        found = await self._asked(request)
        if isinstance(found, web.Response):
            return found
        asked = {**request.query, **await request.post()}
        now = float(str(asked.get("time", self._clock().timestamp())))
        selected = _RANGE_SELECTOR.fullmatch(str(asked["query"]))
        if selected is not None:
            return _success({"resultType": "matrix", "result": self._selected(selected, now)})
        result = [{"metric": dict(labels), "value": [now, _text(value)]} for labels, value in found]
        return _success({"resultType": "vector", "result": result})

    def _selected(self, selector: re.Match[str], at: float) -> list[dict[str, object]]:
        """The samples in (at - range, at] of every series with these labels; "" is a label that is not there."""
        wanted = {"__name__": selector["name"], **dict(_EQUALS.findall(selector["labels"]))}
        result: list[dict[str, object]] = []
        for series in self.past:
            values = [
                [moment.timestamp(), _text(value)]
                for moment, value in series.samples
                if at - float(selector["seconds"]) < moment.timestamp() <= at
            ]
            if values and all(series.labels.get(name, "") == value for name, value in wanted.items()):
                result.append({"metric": dict(series.labels), "values": values})
        return result

    async def _query_range(self, request: web.Request) -> web.Response:
        """What was given for the query; else the value of now at every step."""
        found = await self._asked(request)
        if isinstance(found, web.Response):
            return found
        asked = {**request.query, **await request.post()}
        try:
            start, end, step = (float(str(asked[name])) for name in ("start", "end", "step"))
        except (KeyError, ValueError):
            return _error(400, "bad_data", "invalid parameter: start, end and step must be numbers")
        ranged = self.ranges.get(str(asked["query"]))
        if ranged is not None:
            return _success({"resultType": "matrix", "result": _within(ranged, start, end)})
        moments = [start + step * number for number in range(int((end - start) // step) + 1)]
        result = [
            {"metric": dict(labels), "values": [[moment, _text(value)] for moment in moments]}
            for labels, value in found
        ]
        return _success({"resultType": "matrix", "result": result})

    async def _asked(self, request: web.Request) -> Sequence[Series] | web.Response:
        query = str({**request.query, **await request.post()}.get("query", ""))
        if not query:
            return _error(400, "bad_data", 'invalid parameter "query": unexpected end of input')
        self.asked.append(query)
        found = self._answers.get(query, [])
        if isinstance(found, _Failure):
            return _error(found.status, found.error_type, found.error)
        return found

    async def _get_rules(self, _: web.Request) -> web.Response:
        rules = [
            {
                "state": rule.state,
                "name": rule.name,
                "query": rule.query,
                "duration": rule.duration,
                "labels": dict(rule.labels),
                "annotations": {},
                "alerts": [],
                "health": "ok",
                "type": "alerting",
            }
            for rule in self.rules
        ]
        group = {"name": "sandbox", "file": "sandbox.yaml", "interval": 15, "limit": 0, "rules": rules}
        return _success({"groups": [group] if rules else []})

    async def _names(self, request: web.Request) -> web.Response:
        """The names of metrics, of which `match[]` may choose by a regular expression; start is not looked at."""
        chosen = [re.fullmatch(r'\{__name__=~"(.*)"\}', each) for each in request.query.getall("match[]", [])]
        if None in chosen:
            return _error(
                400, "bad_data", 'invalid parameter "match[]": this stand-in takes {__name__=~"..."}'
            )
        patterns = [each[1] for each in chosen if each is not None]
        names = [
            name
            for name in sorted(self.metrics)
            if not patterns or any(re.fullmatch(pattern, name) for pattern in patterns)
        ]
        return web.json_response({"status": "success", "data": names})

    async def _series(self, request: web.Request) -> web.Response:
        """The series of the past by their metric's name alone; start is not looked at."""
        wanted = request.query.getall("match[]", [])
        if not wanted or not all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", each) for each in wanted):
            return _error(
                400, "bad_data", 'invalid parameter "match[]": this stand-in takes the name of a metric'
            )
        found = [dict(each.labels) for each in self.past if each.labels.get("__name__") in wanted]
        return web.json_response({"status": "success", "data": found})

    async def _build_info(self, _: web.Request) -> web.Response:
        return _success({"version": "2.42.0", "revision": "sandbox", "branch": "HEAD", "goVersion": "go1.20"})

    async def _ok(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Ready.\n")


def _within(given: Sequence[Recorded], start: float, end: float) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for series in given:
        values = [
            [moment.timestamp(), _text(value)]
            for moment, value in series.samples
            if start <= moment.timestamp() <= end
        ]
        if values:
            found.append({"metric": dict(series.labels), "values": values})
    return found


def _text(value: Number) -> str:
    number = value() if callable(value) else value
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return repr(number) if number != int(number) else str(int(number))


def _success(data: Mapping[str, object]) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def _error(status: int, error_type: str, error: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": error_type, "error": error}, status=status)
