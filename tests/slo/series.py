"""What Sloth's and Pyrra's recording rules leave in Prometheus."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from remediator.sandbox.prometheus import Prometheus, Recorded
from remediator.slo.recorded import PYRRA

SLOTH = {"sloth_id": "checkout-availability", "sloth_service": "checkout", "sloth_slo": "availability"}


def of_sloth(
    prometheus: Prometheus,
    left: float,
    burn: float,
    past: Sequence[float] = (),
    labels: Mapping[str, str] = SLOTH,
) -> None:
    """An objective of 99.9 % over 30 days; `past` is what was left, one value a day, the last of them now."""
    series = {
        "slo:objective:ratio": 0.999,
        "slo:time_period:days": 30.0,
        "slo:current_burn_rate:ratio": burn,
        "slo:period_error_budget_remaining:ratio": left,
    }
    for name, value in series.items():
        prometheus.answer(name, [({"__name__": name, **labels}, value)])
    prometheus.ranges["slo:period_error_budget_remaining:ratio"] = [
        Recorded(labels, daily(past, prometheus._clock()))
    ]


def of_pyrra(prometheus: Prometheus, available: float, past: Sequence[float] = ()) -> None:
    """An objective of 99 % over four weeks, by Pyrra's generic rules."""
    labels = {"slo": "api-errors", "namespace": "shop", "service": "api"}
    prometheus.answer("pyrra_objective", [({"__name__": "pyrra_objective", **labels}, 0.99)])
    prometheus.answer("pyrra_window", [({"__name__": "pyrra_window", **labels}, 2419200.0)])
    prometheus.answer("pyrra_availability", [({"__name__": "pyrra_availability", **labels}, available)])
    prometheus.answer(PYRRA.burn, [({"slo": "api-errors"}, 2.5)])
    prometheus.ranges["pyrra_availability"] = [Recorded(labels, daily(past, prometheus._clock()))]


def daily(values: Sequence[float], now: datetime) -> list[tuple[datetime, float]]:
    first = now - timedelta(days=max(len(values) - 1, 0))
    return [(first + timedelta(days=number), value) for number, value in enumerate(values)]
