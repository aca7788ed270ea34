"""promql_range: what a query gave over the last while, as a line."""

from datetime import timedelta
from pathlib import Path

import pytest

from remediator.diagnostics.promql_range import PromqlRange
from remediator.rulebook.load import check
from remediator.sandbox.prometheus import Recorded
from tests.diagnostics.looking import looked
from tests.guards.facts import Facts

ASKED = 'errors{namespace="${target.namespace}"}'
QUERY = 'errors{namespace="shop"}'


async def test_a_series_is_a_line_with_least_most_and_last(facts: Facts) -> None:
    now = facts.clock.now()
    samples = [(now - timedelta(minutes=30 - number), float(number)) for number in range(31)]
    facts.prometheus.ranges[QUERY] = [Recorded({"pod": "api-1"}, samples)]
    evidence = await looked(facts, PromqlRange(query=ASKED, title="errors"))
    (row,) = evidence.details["series"]
    assert len(row["line"]) == 61
    assert row["line"].startswith("·" * 30 + "▁")
    assert row["line"].endswith("█")
    assert evidence.summary == f"errors, 1h: {row['line']} from 0 to 30, last 30"


async def test_a_short_window_has_fewer_values_and_no_gap_at_its_end(facts: Facts) -> None:
    facts.prometheus.answer(QUERY, 7.0)
    evidence = await looked(facts, PromqlRange(query=ASKED, window=timedelta(minutes=5)))
    assert evidence.details["step_seconds"] == 15.0
    assert evidence.details["series"][0]["line"] == "▁" * 21


async def test_no_series_is_an_answer(facts: Facts) -> None:
    evidence = await looked(facts, PromqlRange(query=ASKED))
    assert (evidence.summary, evidence.failed) == ("query, 1h: no series", False)


async def test_many_series_are_cut_and_counted(facts: Facts) -> None:
    sample = [(facts.clock.now(), 1.0)]
    facts.prometheus.ranges[QUERY] = [Recorded({"pod": f"api-{number}"}, sample) for number in range(25)]
    evidence = await looked(facts, PromqlRange(query=ASKED))
    assert (len(evidence.details["series"]), evidence.details["left_out"]) == (10, 15)


async def test_values_that_are_no_numbers_are_gaps(facts: Facts) -> None:
    now = facts.clock.now()
    facts.prometheus.ranges[QUERY] = [Recorded({}, [(now, float("nan"))])]
    evidence = await looked(facts, PromqlRange(query=ASKED))
    assert evidence.summary.endswith("no number")


async def test_a_placeholder_without_value_is_a_look_that_failed(facts: Facts) -> None:
    evidence = await looked(facts, PromqlRange(query="errors{job='${labels.job}'}"))
    assert (evidence.failed, evidence.summary) == (True, "${labels.job} has no value for this alert")


async def test_a_query_prometheus_refuses_is_told_in_its_words(facts: Facts) -> None:
    facts.prometheus.fail(QUERY, 400, "bad_data", "parse error at char 3")
    evidence = await looked(facts, PromqlRange(query=ASKED))
    assert evidence.failed
    assert "parse error at char 3" in evidence.summary


@pytest.mark.parametrize("window", ["1m", "31d", "1"])
def test_a_window_is_between_five_minutes_and_a_month(window: str) -> None:
    with pytest.raises(ValueError, match="window"):
        PromqlRange(query="up", window=window)  # type: ignore[arg-type]


def test_a_mistake_in_its_query_is_told_when_the_rules_are_checked(tmp_path: Path) -> None:
    step = "promql_range: {query: 'up{job=\"${target.nam}\"}'}"
    rule = f"rules: [{{rule: a, match: ['{{a=\"b\"}}'], diagnostics: [{step}]}}]"
    (tmp_path / "rules.yaml").write_text(rule)
    (problem,) = check([tmp_path])
    assert "unknown placeholder ${target.nam}" in str(problem)
