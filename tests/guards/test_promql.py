"""promql: one fresh, finite number of Prometheus within its thresholds, or nothing is changed."""

import math
from typing import Any

import pytest

from remediator.guards.promql import Promql
from tests.guards.facts import Facts

QUERY = 'sum(rate(http_requests_total{namespace="${target.namespace}"}[5m]))'
FILLED = QUERY.replace("${target.namespace}", "shop")


@pytest.mark.parametrize(
    ("thresholds", "value", "answer"),
    [
        ({"above": 1}, 1.5, "allow"),
        ({"above": 1}, 1, "refuse"),
        ({"below": 1}, 0.5, "allow"),
        ({"below": 1}, 1, "refuse"),
        ({"above": 0, "below": 10}, 5, "allow"),
        ({"above": 0, "below": 10}, 0, "refuse"),
        ({"above": 0, "below": 10}, 10, "refuse"),
        ({"above": 0}, math.nan, "unknown"),
        ({"above": 0}, math.inf, "unknown"),
        ({"below": 0}, -math.inf, "unknown"),
        ({"above": 0}, [], "unknown"),
        ({"above": 0}, [({"pod": "a"}, 1.0), ({"pod": "b"}, 1.0)], "unknown"),
    ],
)
async def test_each_answer(facts: Facts, thresholds: dict[str, Any], value: Any, answer: str) -> None:
    facts.prometheus.answer(FILLED, value)
    verdict = await facts.verdict(Promql(query=QUERY, **thresholds))
    assert verdict.answer == answer, verdict.why
    assert verdict.passing is (answer != "allow")
    assert verdict.inputs["query"] == FILLED
    for name, number in thresholds.items():
        assert verdict.inputs[name] == number


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_a_prometheus_that_does_not_answer_is_unknown(facts: Facts, status: int) -> None:
    facts.prometheus.answer(FILLED, 1)
    facts.prometheus.status = status
    verdict = await facts.verdict(Promql(query=QUERY, above=0))
    assert (verdict.answer, verdict.passing) == ("unknown", True)
    assert str(status) in verdict.why


async def test_a_wrong_query_is_unknown_in_prometheus_own_words(facts: Facts) -> None:
    facts.prometheus.fail(FILLED, 400, "bad_data", "parse error")
    verdict = await facts.verdict(Promql(query=QUERY, above=0))
    assert verdict.answer == "unknown"
    assert "parse error" in verdict.why


async def test_an_answer_older_than_five_minutes_is_unknown(facts: Facts) -> None:
    stopped = facts.clock.now()
    facts.prometheus._clock = lambda: stopped
    facts.prometheus.answer(FILLED, 1)
    await facts.clock.advance(300)
    assert (await facts.verdict(Promql(query=QUERY, above=0))).allows
    await facts.clock.advance(1)
    verdict = await facts.verdict(Promql(query=QUERY, above=0))
    assert verdict.answer == "unknown"
    assert stopped.isoformat() in verdict.why


async def test_a_label_that_the_alert_lacks_is_unknown_and_nothing_is_asked(facts: Facts) -> None:
    verdict = await facts.verdict(Promql(query='up{pod="${labels.pod}"}', above=0))
    assert verdict.answer == "unknown"
    assert "${labels.pod} has no value" in verdict.why
    assert facts.prometheus.asked == []
