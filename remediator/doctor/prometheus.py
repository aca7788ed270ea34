"""Prometheus: it answers, evaluates every query of the rules, and knows the alerts they match."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from remediator.diagnostics.sql_query import SqlQuery
from remediator.doctor.finding import Finding, failed, ok, some, unknown, warning
from remediator.doctor.metric_names import metric_names
from remediator.doctor.systems import Systems
from remediator.domain.matcher import parse_matchers
from remediator.domain.substitution import tried_out
from remediator.errors import Permanent, RemediatorError, Retryable
from remediator.rulebook.lines import alert_names
from remediator.rulebook.load import Rulebook

_RECENT = timedelta(minutes=10)
_NOBODY = "remediator-doctor"
"""Fills every placeholder: no workload is called so, and the query reads nothing but an index."""
_AT_ONCE = 4
_WITHOUT = (
    "without it caused_by_rollout's window lacks the alert's own for, promql is unknown, "
    "and kube-state-metrics proves nothing"
)
_ADD = "add the alerting rule, or mend the matcher"


@dataclass(frozen=True, slots=True)
class _Query:
    rule: str
    text: str
    """As it stands in the rule."""

    @property
    def filled(self) -> str:
        return tried_out(self.text, _NOBODY)

    @property
    def shown(self) -> str:
        flat = " ".join(self.text.split())
        return flat if len(flat) <= 80 else f"{flat[:77]}..."


async def check_prometheus(systems: Systems) -> list[Finding]:
    """Does it answer, and as what?"""
    began = systems.clock.monotonic()
    try:
        version = await systems.prometheus.version()
    except RemediatorError as reason:
        return [failed(reason.sentence, f"see to prometheus.url: {_WITHOUT}")]
    milliseconds = (systems.clock.monotonic() - began) * 1000
    return [ok(f"{version} at {systems.settings.prometheus.url}, {milliseconds:.0f} ms")]


async def check_queries(systems: Systems) -> list[Finding]:
    """Can every query of the rules be evaluated, and are there series of what it reads?"""
    queries = list(_queries(await systems.rulebook()))
    if not queries:
        return [ok("no rule asks Prometheus")]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def tried(query: _Query) -> Finding | None:
        async with turns:
            return await _tried(systems, query)

    wrong = [each for each in await asyncio.gather(*map(tried, queries)) if each is not None]
    findings = wrong or [ok(f"every query of the rules can be evaluated ({len(queries)})")]
    return [*findings, *await _without_series(systems, queries)]


def _queries(rulebook: Rulebook) -> Iterator[_Query]:
    """Each query of each rule once, wherever in a step it stands."""
    for rule in rulebook.rules:
        for text in dict.fromkeys(_texts(rule.model_dump(mode="json"))):
            yield _Query(rule.rule, text)


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("query"), str):
            yield found["query"]
        for key, each in found.items():
            if key != SqlQuery.key():  # what that names is no PromQL
                yield from _texts(each)
    elif isinstance(found, list):
        for each in found:
            yield from _texts(each)


async def _tried(systems: Systems, query: _Query) -> Finding | None:
    try:
        samples = await systems.prometheus.query(query.filled)
    except Permanent as reason:
        return failed(f"rule {query.rule}: {reason.sentence} ({query.shown})", "mend the query")
    except Retryable as reason:
        return unknown(f"rule {query.rule}: {reason.sentence} ({query.shown})", "run doctor again")
    if samples or query.filled != query.text:
        return None  # with a name that nobody has, nothing is what most queries should answer
    return warning(
        f"rule {query.rule}: a query answers nothing ({query.shown})",
        "a verification by it can never tell anything: mend it, or see to its metrics",
    )


async def _without_series(systems: Systems, queries: list[_Query]) -> list[Finding]:
    read = {query: metric_names(query.text) for query in queries}
    names = frozenset().union(*read.values())
    if not names:
        return []
    known = await systems.prometheus.metrics_among(names, systems.clock.now() - _RECENT)
    findings = []
    for name in sorted(names - known):
        rules = sorted({query.rule for query, reads in read.items() if name in reads})
        findings.append(
            warning(
                f"there is no series of {name}, which {some(rules)} reads",
                "what is verified by it can never be told: scrape it, or change the query",
            )
        )
    return findings


async def check_alerts(systems: Systems) -> list[Finding]:
    """Does every alert that a rule names exist?"""
    rulebook = await systems.rulebook()
    known = await systems.prometheus.alert_names()
    lost = [
        warning(f"rule {rule.rule}: there is no alerting rule called {some(names)}", _ADD)
        for rule in rulebook.rules
        for line in rule.match
        if (names := sorted(alert_names(parse_matchers(line)))) and not known & set(names)
    ]
    return lost or [ok("every alert that a rule names has an alerting rule there")]
