"""Objectives as Sloth, Pyrra and the settings tell of them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from remediator.clients.http import HttpClient
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.slo import SloStatus
from remediator.errors import Retryable
from remediator.sandbox.prometheus import Prometheus, Recorded
from remediator.settings.load import Settings
from remediator.slo.of_prometheus import PrometheusSlos
from remediator.trial.clock import DrivenClock
from tests.slo.series import daily, of_pyrra, of_sloth

ERRORS = "sum(rate(errors[${window}])) / sum(rate(all[${window}]))"
OVER = "sum(rate(errors[%s])) / sum(rate(all[%s]))"
LEVEL = {"name": "shop/api", "objective": 0.99, "errors": ERRORS, "targets": ["deployment/shop/api"]}


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    async with Prometheus(clock=DrivenClock().now) as made:
        yield made


async def statuses(prometheus: Prometheus, *levels: Mapping[str, Any]) -> list[SloStatus]:
    settings = Settings.model_validate({"slos": list(levels)})
    async with HttpClient() as http:
        client = PrometheusClient(http, prometheus.url, {})
        return await PrometheusSlos(client, DrivenClock(), settings.slos).statuses()


async def test_an_objective_of_sloth_comes_with_its_history_and_trend(prometheus: Prometheus) -> None:
    of_sloth(prometheus, left=0.4, burn=14.4, past=[1.0, 0.8, 0.6, 0.4])
    (found,) = await statuses(prometheus)
    objective = found.objective
    assert (objective.name, objective.objective, objective.window.days) == (
        "checkout/availability",
        0.999,
        30,
    )
    assert (found.state, found.left, found.burn_rate) == ("burning", 0.4, 14.4)
    assert [each.left for each in found.history] == [1.0, 0.8, 0.6, 0.4]
    assert found.per_day == pytest.approx(-0.2)
    assert found.days_left == pytest.approx(2.0)


async def test_an_objective_of_pyrra_is_counted_from_its_availability(prometheus: Prometheus) -> None:
    of_pyrra(prometheus, available=0.985, past=[0.995, 0.99, 0.985])
    (found,) = await statuses(prometheus)
    assert (found.objective.name, found.objective.window.days) == ("api-errors", 28)
    assert found.state == "used_up"
    assert found.left == pytest.approx(-0.5)
    assert [each.left for each in found.history] == pytest.approx([0.5, 0.0, -0.5])
    assert found.burn_rate == 2.5


async def test_one_of_the_settings_is_asked_over_its_window(prometheus: Prometheus) -> None:
    prometheus.answer(OVER % ("30d", "30d"), 0.0025)
    prometheus.answer(OVER % ("1h", "1h"), 0.02)
    prometheus.ranges[OVER % ("30d", "30d")] = [
        Recorded({}, daily([0.001, 0.002, 0.0025], DrivenClock().now()))
    ]
    (found,) = await statuses(prometheus, LEVEL)
    assert found.state == "burning"
    assert found.left == pytest.approx(0.75)
    assert found.burn_rate == pytest.approx(2.0)
    assert [each.left for each in found.history] == pytest.approx([0.9, 0.8, 0.75])


async def test_a_query_that_is_wrong_hides_no_other_objective(prometheus: Prometheus) -> None:
    prometheus.fail(OVER % ("30d", "30d"), 400, "bad_data", "parse error")
    of_sloth(prometheus, left=1.0, burn=0.0)
    sloth, ours = await statuses(prometheus, LEVEL)
    assert (sloth.state, ours.state) == ("met", "unknown")
    assert "parse error" in (ours.why or "")


async def test_without_traffic_nothing_is_known(prometheus: Prometheus) -> None:
    prometheus.answer(OVER % ("30d", "30d"), float("nan"))
    (found,) = await statuses(prometheus, LEVEL)
    assert (found.state, found.why) == ("unknown", "the query answered nan")


async def test_an_objective_whose_budget_is_not_recorded_is_unknown(prometheus: Prometheus) -> None:
    of_sloth(prometheus, left=1.0, burn=0.0)
    prometheus.answer("slo:period_error_budget_remaining:ratio", [])
    (found,) = await statuses(prometheus)
    assert (found.state, found.why) == ("unknown", "Prometheus has no number of what is left")


async def test_an_objective_of_all_events_leaves_no_budget(prometheus: Prometheus) -> None:
    of_sloth(prometheus, left=1.0, burn=0.0)
    prometheus.answer("slo:objective:ratio", [({"sloth_service": "a", "sloth_slo": "b"}, 1.0)])
    (found,) = await statuses(prometheus)
    assert (found.state, found.why) == ("unknown", "an objective of 1.0 leaves no budget")


async def test_a_prometheus_that_does_not_answer_is_no_list_without_objectives(
    prometheus: Prometheus,
) -> None:
    await prometheus.stop()
    with pytest.raises(Retryable):
        await statuses(prometheus)


@pytest.mark.parametrize(
    "wrong",
    [{"errors": "sum(rate(errors[30d]))"}, {"objective": 1.0}, {"objective": 99.9}, {"targets": ["api"]}],
)
def test_a_mistake_in_the_settings_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"slos\.0"):
        Settings.model_validate({"slos": [{**LEVEL, **wrong}]})
