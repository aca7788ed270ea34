"""Service level objectives: what is promised, how much of the error budget is left, and where that is going."""

from datetime import datetime, timedelta
from typing import Literal, Protocol

from pydantic import Field

from remediator.domain.duration import Duration
from remediator.domain.value import Value

Source = Literal["sloth", "pyrra", "settings"]
State = Literal["met", "burning", "used_up", "unknown"]


class Objective(Value):
    """One promise: `objective` of the events within `window` are good."""

    name: str
    """As people call it: `checkout/availability`."""
    objective: float
    """A share between 0 and 1."""
    window: Duration
    source: Source
    labels: dict[str, str] = Field(default_factory=dict)
    """Of its series, by which alerts and workloads are told to be about it."""
    targets: tuple[str, ...] = ()
    """`kind/namespace/name` of the workloads that keep it, where somebody said so."""

    @property
    def budget(self) -> float:
        """The share of events that may go wrong."""
        return 1.0 - self.objective


class Point(Value):
    """How much of the budget was left at one moment."""

    at: datetime
    left: float


class SloStatus(Value):
    """One objective as Prometheus tells it now."""

    objective: Objective
    state: State
    left: float | None = None
    """The share of the error budget that is left: 1 when nothing went wrong, below 0 when more did than may."""
    burn_rate: float | None = None
    """How fast it is used up now: at 1 it would last exactly its window."""
    history: tuple[Point, ...] = ()
    """The last seven days, oldest first."""
    per_day: float | None = None
    """The trend: by how much `left` changes a day."""
    days_left: float | None = None
    """Until nothing is left if it goes on so; None when it does not fall."""
    why: str | None = None
    """What could not be known."""


class ErrorRate(Value):
    """What share of an objective's events went wrong within some time."""

    name: str
    source: Source
    budget: float
    """The share that may."""
    ratio: float | None = None
    why: str | None = None
    """Why the ratio is not known."""


class Slos(Protocol):
    """Questions about objectives, filled by the composition root."""

    async def statuses(self) -> list[SloStatus]:
        """Every objective that is known, by name. Raises Retryable or Permanent when Prometheus cannot be asked."""

    async def error_rates(self, over: timedelta) -> list[ErrorRate]:
        """What went wrong of each objective's events within this time, by name. Raises as `statuses` does."""
