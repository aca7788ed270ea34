"""Prometheus: its answers to the queries of the rules, and the alerts they name."""

import pytest

from remediator.doctor.metric_names import metric_names
from tests.doctor.installation import QUERY, RULES, Installation


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", {"up"}),
        ("vector(1)", set()),
        ('sum by (le) (rate(http_seconds_bucket{job="a", x=~"b}"}[2m]))', {"http_seconds_bucket"}),
        ("a / on(pod) group_left(node) b offset 5m", {"a", "b"}),
        ("a:rate5m > bool 1e5 or NaN unless b[1h:5m] # c", {"a:rate5m", "b"}),
        ("sum without(x) (a) by (y)", {"a"}),
        ("'x' + \"y\" + `z`", set()),
        ("histogram_quantile(0.99, a) and count_over_time(b[5m])", {"a", "b"}),
        ('a @ end() == 0x1F and {__name__="z"}', {"a"}),
    ],
)
def test_the_metrics_of_a_query_are_found(query: str, names: set[str]) -> None:
    assert metric_names(query) == names


async def test_a_query_that_cannot_be_parsed_fails_with_prometheus_own_words(
    installation: Installation,
) -> None:
    installation.prometheus.fail(QUERY, 400, "bad_data", "1:4: parse error: unexpected end of input")
    status, found = await installation.found()
    (wrong,) = found["queries"]
    assert wrong.level == "failed"
    assert "rule bad-release: Prometheus refused (bad_data): 1:4: parse error" in wrong.saw
    assert status == 1


async def test_a_query_that_could_not_be_evaluated_now_is_unknown(installation: Installation) -> None:
    installation.prometheus.fail(QUERY, 503, "timeout", "query timed out in expression evaluation")
    assert [each.level for each in await installation.finds("queries")] == ["unknown"]


async def test_a_query_without_placeholders_has_to_answer_something(installation: Installation) -> None:
    fixed = "rate(failures_total[2m])"
    rules = RULES.replace('sum(rate(failures_total{namespace="${target.namespace}"}[2m]))', fixed)
    (installation.directory / "rules.yaml").write_text(rules)
    (warned,) = await installation.finds("queries")
    assert warned[:2] == ("warning", f"rule bad-release: a query answers nothing ({fixed})")
    installation.prometheus.answer(fixed, 0.0)
    assert [each.level for each in await installation.finds("queries")] == ["ok"]


async def test_a_metric_that_nobody_scrapes_is_named_with_the_rules_that_read_it(
    installation: Installation,
) -> None:
    installation.prometheus.metrics.clear()
    status, found = await installation.found()
    (fine, missing) = found["queries"]
    assert fine.level == "ok"
    assert missing[:2] == ("warning", "there is no series of failures_total, which bad-release reads")
    assert status == 0


async def test_placeholders_are_filled_with_a_name_nobody_has(installation: Installation) -> None:
    await installation.doctor()
    assert installation.prometheus.asked == [QUERY]


@pytest.mark.parametrize(
    ("match", "level"),
    [
        ('{alertname="HighErrorRate"}', "ok"),
        ('{alertname="HighErrorRat"}', "warning"),
        ('{alertname=~"HighErrorRate|ErrorRateHigh"}', "ok"),
        ('{alertname=~"ErrorRateHigh|ErrorsHigh"}', "warning"),
        ('{alertname=~"Errors.*"}', "ok"),
        ('{severity="critical"}', "ok"),
        ('{alertname!="Watchdog", severity="critical"}', "ok"),
    ],
)
async def test_an_alert_that_no_rule_of_prometheus_makes_is_a_warning(
    installation: Installation, match: str, level: str
) -> None:
    (installation.directory / "rules.yaml").write_text(RULES.replace('{alertname="HighErrorRate"}', match))
    (only,) = await installation.finds("alerts")
    assert only.level == level


async def test_rules_that_cannot_be_loaded_are_named_with_their_place(installation: Installation) -> None:
    (installation.directory / "rules.yaml").write_text(RULES.replace("[rollback]", "[rolback]"))
    status, found = await installation.found()
    (wrong,) = found["rules"]
    assert wrong.level == "failed"
    assert "rules.yaml:7" in wrong.saw
    assert {each.level for each in (*found["queries"], *found["alerts"])} == {"unknown"}
    assert {each.level for each in found["rights"]} == {"ok"}
    assert status == 1
