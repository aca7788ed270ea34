"""Questions to Prometheus, or to anything that speaks its HTTP API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from remediator.clients.http import HttpAnswer, HttpClient, json_document
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable

_PASSING_ERRORS = frozenset({"timeout", "canceled", "internal", "unavailable"})
"""Of web/api/v1/api.go: everything but bad_data, execution, not_found and not_acceptable."""


_OF_A_POD = frozenset({"pod", "instance", "container", "node", "uid", "exported_pod", "exported_instance"})
"""Labels by which the same alert about two pods of one workload differs."""


_OF_THE_SERIES = frozenset({"__name__", "alertstate"})
"""Labels of the series ALERTS that are not the alert's."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector; a scalar has no labels."""

    labels: dict[str, str]
    value: float
    """May be NaN or infinite."""
    at: datetime
    """The moment the query was evaluated for, in UTC."""


@dataclass(frozen=True, slots=True)
class Series:
    """What was recorded of one series: every sample as it was scraped, oldest first."""

    labels: dict[str, str]
    samples: tuple[tuple[datetime, float], ...]


class PrometheusClient:
    """One Prometheus, or none."""

    def __init__(
        self, http: HttpClient, url: str | None, headers: Mapping[str, str], *, deadline: float = 10.0
    ) -> None:
        """`url` is the address its own pages stand under; `deadline` is in seconds, for each question."""
        self._http = http
        self._url = url
        self._headers = headers
        self._deadline = deadline

    async def query(self, promql: str) -> tuple[Sample, ...]:
        """Evaluate an instant query now.

        Raises Permanent with Prometheus' own words when the query is wrong or gives something that is
        neither an instant vector of floats nor a scalar; Retryable when it could not be evaluated in
        full just now, which includes an answer that says part of the data could not be read.
        """
        data = await self._ask("query", {"query": promql})
        try:
            return _samples(data)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Permanent(f"Prometheus gave a query result this version cannot read: {error!r}") from error

    async def recorded(self, selector: str, window: timedelta, at: datetime) -> tuple[Series, ...]:
        """Every sample of the series a selector (`up{job="x"}`) picks, of the `window` that ended `at`.

        Not a range query: that fills gaps of up to five minutes with the sample before. Raises as `query`
        does.
        """
        # Prometheus takes no fractions of a millisecond, and windows are whole seconds.
        promql = f"{selector}[{int(window.total_seconds())}s]"
        data = await self._ask("query", {"query": promql, "time": f"{at.timestamp():.3f}"})
        try:
            return tuple(_series(element) for element in data["result"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Permanent(f"Prometheus gave samples this version cannot read: {error!r}") from error

    async def ranged(
        self, promql: str, begin: datetime, end: datetime, step: timedelta
    ) -> tuple[Series, ...]:
        """What a query gives at `begin` and every `step` after it up to `end`: a range query.

        Of a series that ended the sample before counts for up to five minutes, but where Prometheus knows of its end,
        as it does of alerts. Raises as `query` does.
        """
        asked = {
            "query": promql,
            "start": f"{begin.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step.total_seconds():g}",
        }
        data = await self._ask("query_range", asked)
        try:
            return tuple(_series(element) for element in data["result"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Permanent(f"Prometheus gave samples this version cannot read: {error!r}") from error

    async def alert_hold(self, alertname: str, labels: Mapping[str, str]) -> timedelta | None:
        """The `for` of the alerting rule that made an alert, or None when Prometheus has no such rule.

        Rules of that name whose own labels say something else than the alert's `labels` are not meant.
        Of several with different `for`, the longest. Raises as `query` does.
        """
        # Older versions ignore the two parameters after `type`; they only make the answer smaller.
        wanted = {"type": "alert", "rule_name[]": alertname, "exclude_alerts": "true"}
        data = await self._ask("rules", wanted)
        try:
            rules = [rule for group in data["groups"] for rule in group["rules"]]
            holds = [
                timedelta(seconds=rule["duration"])
                for rule in rules
                if rule.get("type") == "alerting" and rule["name"] == alertname and _fits(rule, labels)
            ]
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Permanent(f"Prometheus gave a list of rules this version cannot read: {error!r}") from error
        return max(holds, default=None)

    async def version(self) -> str:
        """Raises as `query` does."""
        return str((await self._ask("status/buildinfo", {})).get("version", "of unknown version"))

    async def alert_names(self) -> frozenset[str]:
        """The names of all alerting rules. Raises as `query` does."""
        data = await self._ask("rules", {"type": "alert", "exclude_alerts": "true"})
        try:
            rules = [rule for group in data["groups"] for rule in group["rules"]]
            return frozenset(str(rule["name"]) for rule in rules if rule.get("type") == "alerting")
        except (AttributeError, KeyError, TypeError) as error:
            raise Permanent(f"Prometheus gave a list of rules this version cannot read: {error!r}") from error

    async def metrics_among(self, names: Iterable[str], since: datetime) -> frozenset[str]:
        """Those of these metrics that have had a series since then. Raises as `query` does."""
        among = "|".join(sorted(names))
        params = {"match[]": f'{{__name__=~"{among}"}}', "start": str(since.timestamp())}
        data, answer = await self._data("label/__name__/values", params)
        if not isinstance(data, list):
            raise Permanent(f"Prometheus gave a list of metrics this version cannot read: {answer.excerpt}")
        return frozenset(map(str, data))

    async def alerts_seen(self, since: datetime) -> tuple[Mapping[str, str], ...]:
        """The labels of every alert that was pending or firing since then. Raises as `query` does."""
        data, answer = await self._data("series", {"match[]": "ALERTS", "start": str(since.timestamp())})
        try:
            return tuple(
                {str(name): str(value) for name, value in each.items() if name not in _OF_THE_SERIES}
                for each in data
            )
        except (AttributeError, TypeError) as error:
            raise Permanent(
                f"Prometheus gave a list of series this version cannot read: {answer.excerpt}"
            ) from error

    async def alert_fired(
        self, alertname: str, labels: Mapping[str, str], window: timedelta, at: datetime
    ) -> bool:
        """Whether this alert was firing at some moment of the `window` that ended `at`.

        Alerts of that name with another value for one of `labels` are not meant, but for those that only say
        which pod it was. Raises as `query` does.
        """
        name = alertname.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        found = await self.recorded(f'ALERTS{{alertname="{name}",alertstate="firing"}}', window, at)
        return any(
            each.samples
            and all(
                labels.get(key, value) == value for key, value in each.labels.items() if key not in _OF_A_POD
            )
            for each in found
        )

    async def _ask(self, endpoint: str, params: Mapping[str, str]) -> JsonObject:
        data, answer = await self._data(endpoint, params)
        if not isinstance(data, dict):
            raise Permanent(f"Prometheus answered {answer.status} without data: {answer.excerpt}")
        return data

    async def _data(self, endpoint: str, params: Mapping[str, str]) -> tuple[Any, HttpAnswer]:
        if self._url is None:
            raise Permanent("no Prometheus is configured; set prometheus.url in remediator.yml")
        url = f"{self._url.rstrip('/')}/api/v1/{endpoint}"
        answer = await self._http.request(
            "GET", url, params=params, headers=self._headers, deadline=self._deadline
        )
        return _data(answer), answer


def _data(answer: HttpAnswer) -> Any:
    """The `data` of a successful answer; everything else is raised."""
    document = json_document(answer.body)
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        if answer.status == 429 or answer.status >= 500:
            raise Retryable(f"Prometheus answered {answer.status}: {answer.excerpt}", answer.retry_after)
        raise Permanent(
            f"Prometheus answered {answer.status}, not as its API does: {answer.excerpt or 'nothing'}"
            "; check prometheus.url and its credentials"
        )
    if document["status"] == "error":
        kind = document.get("errorType")
        sentence = f"Prometheus refused ({kind}): {document.get('error')}"
        if kind in _PASSING_ERRORS or answer.status == 429 or answer.status >= 500:
            raise Retryable(sentence, answer.retry_after)
        raise Permanent(sentence)
    _refuse_partial(document.get("warnings"))
    data = document.get("data")
    if answer.status != 200 or data is None:
        raise Permanent(f"Prometheus answered {answer.status} without data: {answer.excerpt}")
    return data


def _refuse_partial(warnings: Any) -> None:
    """Remarks about the query's style begin with `PromQL`; all others say that data is missing.

    Those come from remote read, and from Thanos and others answering with what they could reach.
    """
    told = warnings if isinstance(warnings, list) else []
    missing = [str(warning) for warning in told if not str(warning).startswith("PromQL")]
    if missing:
        raise Retryable(f"Prometheus could not read all data: {'; '.join(missing)[:300]}")


def _samples(data: JsonObject) -> tuple[Sample, ...]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return (_sample({}, result),)
    if kind != "vector":
        raise Permanent(f"the query gives a {kind}; it has to give an instant vector or a scalar")
    if any("value" not in element for element in result):
        raise Permanent("the query gives native histograms; it has to give plain numbers")
    return tuple(_sample(element["metric"], element["value"]) for element in result)


def _sample(labels: Mapping[str, str], pair: list[Any]) -> Sample:
    moment, value = pair
    return Sample(dict(labels), float(value), datetime.fromtimestamp(float(moment), UTC))


def _series(element: JsonObject) -> Series:
    if "histograms" in element:
        raise Permanent("the query gives native histograms; it has to give plain numbers")
    samples = ((datetime.fromtimestamp(float(at), UTC), float(value)) for at, value in element["values"])
    return Series(dict(element["metric"]), tuple(sorted(samples)))


def _fits(rule: JsonObject, labels: Mapping[str, str]) -> bool:
    """Whether the rule's own labels can have become `labels`. Templates can have become anything."""
    own: Mapping[str, str] = rule.get("labels") or {}
    return all("{{" in value or labels.get(name, value) == value for name, value in own.items())
