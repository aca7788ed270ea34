"""Objectives that somebody's recording rules tell of: those of Sloth, and of Pyrra with --generic-rules."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.clients.prometheus import PrometheusClient, Sample, Series
from remediator.domain.slo import Objective, Point, SloStatus, Source
from remediator.slo.budget import status_of

HISTORY, EVERY = timedelta(days=7), timedelta(hours=6)
_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Convention:
    """The series in which one tool tells of its objectives."""

    source: Source
    identity: tuple[str, ...]
    """The labels that name an objective."""
    objective: str
    window: str
    window_unit: timedelta
    burn: str
    left: str
    """What is asked for `left_of_it`."""
    left_of_it: Callable[[float, Objective], float]

    def key(self, labels: Mapping[str, str]) -> _Key:
        return tuple((name, labels.get(name, "")) for name in self.identity)


SLOTH = Convention(
    source="sloth",
    identity=("sloth_id", "sloth_service", "sloth_slo"),
    objective="slo:objective:ratio",
    window="slo:time_period:days",
    window_unit=timedelta(days=1),
    burn="slo:current_burn_rate:ratio",
    left="slo:period_error_budget_remaining:ratio",
    left_of_it=lambda value, _: value,
)
"""As internal/prometheus of slok/sloth names them, since its first version."""

PYRRA = Convention(
    source="pyrra",
    identity=("slo",),
    objective="pyrra_objective",
    window="pyrra_window",
    window_unit=timedelta(seconds=1),
    burn=(
        "sum by (slo) (rate(pyrra_errors_total[1h])) / sum by (slo) (rate(pyrra_requests_total[1h]))"
        " / (1 - max by (slo) (pyrra_objective))"
    ),
    left="pyrra_availability",
    left_of_it=lambda available, objective: (available - objective.objective) / objective.budget,
)
"""The generic rules of pyrra-dev/pyrra (slo/rules.go). Objectives with grouping have none, and are not seen here."""


async def recorded(prometheus: PrometheusClient, said: Convention, now: datetime) -> list[SloStatus]:
    """Every objective of this convention. Raises as the client does."""
    asked = (said.objective, said.window, said.burn, said.left)
    objectives, windows, burns, lefts = await asyncio.gather(*(prometheus.query(each) for each in asked))
    if not objectives:
        return []
    past = await prometheus.ranged(said.left, now - HISTORY, now, EVERY)
    window, burn, left = (_by_key(said, each) for each in (windows, burns, lefts))
    history = _histories(said, past)
    found = []
    for sample in objectives:
        key = said.key(sample.labels)
        days = window.get(key)
        objective = Objective(
            name=name_of(sample.labels, said),
            objective=sample.value,
            window=said.window_unit * days if days else timedelta(days=30),
            source=said.source,
            labels={name: value for name, value in sample.labels.items() if name != "__name__"},
        )
        if not 0 < objective.objective < 1:
            found.append(
                status_of(objective, None, None, why=f"an objective of {sample.value} leaves no budget")
            )
            continue
        value = left.get(key)
        points = [Point(at=at, left=said.left_of_it(one, objective)) for at, one in history.get(key, ())]
        known = None if value is None else said.left_of_it(value, objective)
        found.append(status_of(objective, known, burn.get(key), points))
    return found


def _by_key(said: Convention, samples: Sequence[Sample]) -> dict[_Key, float]:
    return {said.key(each.labels): each.value for each in samples}


def _histories(said: Convention, past: Sequence[Series]) -> dict[_Key, tuple[tuple[datetime, float], ...]]:
    return {said.key(each.labels): each.samples for each in past}


def name_of(labels: Mapping[str, str], said: Convention) -> str:
    """What people call the objective with these labels."""
    if said.source == "sloth":
        return f"{labels.get('sloth_service', '?')}/{labels.get('sloth_slo', '?')}"
    return labels.get("slo", "?")
