"""What share of each objective's events went wrong within a day or a week."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from remediator.clients.http import HttpClient
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.slo import ErrorRate
from remediator.errors import Retryable
from remediator.sandbox.prometheus import Prometheus
from remediator.settings.load import Settings
from remediator.slo.of_prometheus import PrometheusSlos
from remediator.trial.clock import DrivenClock
from tests.slo.series import SLOTH, of_pyrra, of_sloth
from tests.slo.test_of_prometheus import LEVEL, OVER

DAY, WEEK = timedelta(days=1), timedelta(days=7)
PYRRA = "sum by (slo) (increase(pyrra_errors_total[%s])) / sum by (slo) (increase(pyrra_requests_total[%s]))"


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    async with Prometheus(clock=DrivenClock().now) as made:
        yield made


async def rates(prometheus: Prometheus, over: timedelta) -> dict[str, ErrorRate]:
    settings = Settings.model_validate({"slos": [LEVEL]})
    async with HttpClient() as http:
        slos = PrometheusSlos(PrometheusClient(http, prometheus.url, {}), DrivenClock(), settings.slos)
        return {each.name: each for each in await slos.error_rates(over)}


@pytest.mark.parametrize(("over", "text"), [(DAY, "1d"), (WEEK, "7d")])
async def test_each_objective_is_asked_for_the_errors_of_that_time(
    prometheus: Prometheus, over: timedelta, text: str
) -> None:
    of_sloth(prometheus, left=0.4, burn=1.0)
    of_pyrra(prometheus, available=0.99)
    day = "slo:sli_error:ratio_rate1d"
    prometheus.answer(day if over == DAY else f"avg_over_time({day}[7d])", [(SLOTH, 0.002)])
    prometheus.answer(PYRRA % (text, text), [({"slo": "api-errors"}, 0.03)])
    prometheus.answer(OVER % (text, text), 0.004)
    found = await rates(prometheus, over)
    assert {name: (each.ratio, round(each.budget, 6)) for name, each in found.items()} == {
        "checkout/availability": (0.002, 0.001),
        "api-errors": (0.03, 0.01),
        "shop/api": (0.004, 0.01),
    }


async def test_an_error_rate_that_is_no_number_or_not_there_is_unknown(prometheus: Prometheus) -> None:
    of_sloth(prometheus, left=0.4, burn=1.0)
    of_pyrra(prometheus, available=0.99)
    prometheus.answer(PYRRA % ("1d", "1d"), [({"slo": "api-errors"}, float("nan"))])
    prometheus.fail(OVER % ("1d", "1d"), 400, "bad_data", "parse error")
    found = await rates(prometheus, DAY)
    assert [each.ratio for each in found.values()] == [None] * 3
    none = "Prometheus has no number of it"
    assert (found["checkout/availability"].why, found["api-errors"].why) == (none, none)
    assert "parse error" in (found["shop/api"].why or "")


async def test_a_prometheus_that_is_away_is_no_list_without_errors(prometheus: Prometheus) -> None:
    await prometheus.stop()
    with pytest.raises(Retryable):
        await rates(prometheus, DAY)
