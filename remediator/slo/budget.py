"""Pure: how much of an error budget is left, where that is going, and what to call it."""

import math
from collections.abc import Sequence

from remediator.domain.slo import Objective, Point, SloStatus, State
from remediator.domain.trend import per_day


def left_of(error_ratio: float, objective: Objective) -> float:
    """The share of the budget that is left when this share of the window's events went wrong."""
    return 1.0 - error_ratio / objective.budget


def status_of(
    objective: Objective,
    left: float | None,
    burn_rate: float | None,
    history: Sequence[Point] = (),
    why: str | None = None,
) -> SloStatus:
    """The status with state and trend. A number that is none (NaN, no traffic) is not known."""
    left, burn_rate = _finite(left), _finite(burn_rate)
    known = tuple(each for each in history if math.isfinite(each.left))
    slope = per_day([(each.at, each.left) for each in known])
    falls = slope is not None and slope < 0 and left is not None and left > 0
    return SloStatus(
        objective=objective,
        state=_state(left, burn_rate),
        left=left,
        burn_rate=burn_rate,
        history=known,
        per_day=slope,
        days_left=left / -slope if falls and left is not None and slope is not None else None,
        why=why or (None if left is not None else "Prometheus has no number of what is left"),
    )


def _state(left: float | None, burn_rate: float | None) -> State:
    if left is None:
        return "unknown"
    if left <= 0:
        return "used_up"
    return "burning" if burn_rate is not None and burn_rate > 1 else "met"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
