"""What share of each objective's events went wrong within a day or a week."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.clients.one_number import one_number
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.duration import format_duration
from remediator.domain.slo import ErrorRate
from remediator.errors import Permanent
from remediator.settings.service_levels import ServiceLevel
from remediator.slo.declared import WINDOW
from remediator.slo.recorded import PYRRA, SLOTH, Convention, name_of

_DAY = timedelta(days=1)
_NO_NUMBER = "Prometheus has no number of it"


@dataclass(frozen=True)
class Errors:
    """How the errors of a convention's objectives are asked for."""

    of: Convention
    query: Callable[[timedelta], str]


def _of_sloth(over: timedelta) -> str:
    """Sloth records the ratio of a day; a week's is the mean of it, whatever the traffic of each day."""
    day = "slo:sli_error:ratio_rate1d"
    return day if over <= _DAY else f"avg_over_time({day}[{format_duration(over)}])"


def _of_pyrra(over: timedelta) -> str:
    window = format_duration(over)
    return (
        f"sum by (slo) (increase(pyrra_errors_total[{window}]))"
        f" / sum by (slo) (increase(pyrra_requests_total[{window}]))"
    )


CONVENTIONS = (Errors(SLOTH, _of_sloth), Errors(PYRRA, _of_pyrra))


async def error_rates(
    prometheus: PrometheusClient, levels: Sequence[ServiceLevel], over: timedelta, now: datetime
) -> list[ErrorRate]:
    """Of every objective, those of the settings last. Raises as the client does."""
    found = await asyncio.gather(
        *(_recorded(prometheus, each, over) for each in CONVENTIONS),
        *(_declared(prometheus, each, over, now) for each in levels),
    )
    return [each for listed in found for each in listed]


async def _recorded(prometheus: PrometheusClient, errors: Errors, over: timedelta) -> list[ErrorRate]:
    said = errors.of
    objectives, ratios = await asyncio.gather(
        prometheus.query(said.objective), prometheus.query(errors.query(over))
    )
    by_key = {said.key(each.labels): each.value for each in ratios}
    return [
        _rate(
            name_of(each.labels, said), said.source, each.value, by_key.get(said.key(each.labels), math.nan)
        )
        for each in objectives
    ]


async def _declared(
    prometheus: PrometheusClient, level: ServiceLevel, over: timedelta, now: datetime
) -> list[ErrorRate]:
    query = level.errors.replace(WINDOW, format_duration(over))
    try:
        ratio = await one_number(prometheus, query, now)
    except Permanent as reason:
        ratio = reason.sentence
    return [_rate(level.name, "settings", level.objective, ratio)]


def _rate(name: str, source: str, objective: float, ratio: float | str) -> ErrorRate:
    """With the sentence in place of a number that is not known."""
    why = ratio if isinstance(ratio, str) else None if math.isfinite(ratio) else _NO_NUMBER
    return ErrorRate.model_validate(
        {
            "name": name,
            "source": source,
            "budget": 1.0 - objective,
            "ratio": ratio if why is None else None,
            "why": why,
        }
    )
