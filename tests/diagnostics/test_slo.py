"""slo: how the objectives of the target, or of its alert, are doing."""

from typing import Any

import pytest

from remediator.diagnostics.slo import Slo
from remediator.domain.slo import Objective
from tests.diagnostics.looking import looked
from tests.guards.facts import Facts
from tests.slo.series import SLOTH, of_pyrra, of_sloth


def about(facts: Facts, **labels: str) -> Any:
    run = facts.run()
    assert run.alert is not None
    alert = run.alert.model_copy(update={"labels": {"alertname": "Burns", **labels}})
    return run.model_copy(update={"alert": alert})


async def test_the_objective_of_the_alert_is_told(facts: Facts) -> None:
    of_sloth(facts.prometheus, left=0.4, burn=14.4, past=[1.0, 0.8, 0.6, 0.4])
    of_pyrra(facts.prometheus, available=0.999)
    evidence = await looked(facts, Slo(), about(facts, sloth_service="checkout", sloth_slo="availability"))
    assert evidence.summary == (
        "checkout/availability: 40% of the error budget left (burning), burning at 14.4, "
        "7 days █▇▅▄, used up in 2.0 days if it goes on so"
    )
    assert not evidence.failed


async def test_a_target_is_known_by_the_labels_of_pyrras_series(facts: Facts) -> None:
    of_sloth(facts.prometheus, left=0.4, burn=0.1)
    of_pyrra(facts.prometheus, available=0.995)
    evidence = await looked(facts, Slo())
    assert evidence.summary.startswith("api-errors: 50% of the error budget left")


async def test_one_may_be_named(facts: Facts) -> None:
    of_sloth(facts.prometheus, left=0.4, burn=0.1)
    evidence = await looked(facts, Slo(name="checkout/availability"))
    assert evidence.summary.startswith("checkout/availability: 40%")


async def test_none_that_is_known_is_a_look_that_failed(facts: Facts) -> None:
    of_sloth(facts.prometheus, left=0.4, burn=0.1)
    evidence = await looked(facts, Slo())
    assert evidence.failed
    assert evidence.summary == "no objective of deployment/shop/api or its alert is known; 1 others are"


async def test_a_prometheus_that_is_away_is_a_look_that_failed(facts: Facts) -> None:
    await facts.prometheus.stop()
    evidence = await looked(facts, Slo())
    assert evidence.failed
    assert "cannot connect" in evidence.summary


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        ({"sloth_id": "checkout-availability"}, True),
        ({"sloth_id": "another"}, False),
        ({"sloth_service": "checkout", "sloth_slo": "latency"}, False),
        ({"slo": "api-errors"}, False),
        ({}, False),
    ],
)
def test_an_alert_decides_by_the_labels_it_has(facts: Facts, labels: dict[str, str], meant: bool) -> None:
    objective = Objective(name="a", objective=0.9, window="30d", source="sloth", labels=SLOTH)  # type: ignore[arg-type]
    assert Slo()._meant(objective, about(facts, **labels)) is meant


def test_what_the_settings_name_is_of_its_targets(facts: Facts) -> None:
    said: dict[str, Any] = {"name": "a", "objective": 0.9, "window": "30d", "source": "settings"}
    assert Slo()._meant(Objective(**said, targets=("deployment/shop/api",)), facts.run())
    assert not Slo()._meant(Objective(**said, targets=("deployment/shop/web",)), facts.run())
