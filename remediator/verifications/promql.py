"""A number in Prometheus is where it should be, with enough traffic for it to mean something."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from remediator.clients.one_number import one_number
from remediator.domain.answers import Answer, Finding
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.substitution import NothingToSubstitute, substitute
from remediator.kit import Kit
from remediator.step import Verification


class Traffic(BaseModel):
    """How much traffic there must be before the number counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str
    """How much traffic there is, as one number."""
    above: float
    """While there is not more, the answer is unknown."""


class Promql(Verification):
    """Recovered while the query's one number is below, or above, what is given.

    Too little traffic, an empty answer, several series, NaN, infinity or a stale sample is unknown.
    """

    query: str
    """What Prometheus is asked, with one number for an answer."""
    below: float | None = None
    """Recovered while the number is smaller."""
    above: float | None = None
    """Recovered while the number is greater. Either this or `below`."""
    traffic: Traffic | None = None
    """Only while there is enough of it the number says anything."""

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.below is None) == (self.above is None):
            raise ValueError("give either below or above")
        return self

    async def finding(self, change: Change, run: RunView, kit: Kit) -> Finding:
        if self.traffic is not None:
            amount = await _number(self.traffic.query, run, kit)
            if isinstance(amount, str):
                return Finding(answer=Answer.UNKNOWN, why=f"traffic: {amount}")
            if not amount > self.traffic.above:
                why = f"too little traffic to tell: {amount:g}, needed more than {self.traffic.above:g}"
                return Finding(answer=Answer.UNKNOWN, why=why)
        value = await _number(self.query, run, kit)
        if isinstance(value, str):
            return Finding(answer=Answer.UNKNOWN, why=value)
        return self._held_against(value)

    def _held_against(self, value: float) -> Finding:
        inputs = {"value": value, "below": self.below, "above": self.above}
        if self.below is not None:
            good, wanted = value < self.below, f"below {self.below:g}"
        else:
            good, wanted = value > (self.above or 0.0), f"above {self.above:g}"
        answer = Answer.RECOVERED if good else Answer.NOT_RECOVERED
        return Finding(answer=answer, why=f"{value:g}, wanted {wanted}", inputs=inputs)


async def _number(query: str, run: RunView, kit: Kit) -> float | str:
    """The one fresh, finite number a query answers, or the sentence why there is none."""
    try:
        return await one_number(kit.prometheus, substitute(query, run), kit.clock.now())
    except NothingToSubstitute as reason:
        return str(reason)
