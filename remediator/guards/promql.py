"""A number in Prometheus has to allow it."""

from typing import Self

from pydantic import Field, model_validator

from remediator.clients.one_number import one_number
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.substitution import NothingToSubstitute, substitute
from remediator.kit import Kit
from remediator.step import Guard


class Promql(Guard):
    """`promql: {query, above, below}`: allows while the query's one number is above, and below, these.

    No answer, several series, NaN, infinity, an old sample and an answer with warnings that data is missing are
    all unknown: write an aggregation, and `or vector(0)` where no series means none.
    """

    query: str
    """What Prometheus is asked, with one number for an answer."""
    above: float | None = Field(default=None, allow_inf_nan=False)
    """Allowed while the number is greater."""
    below: float | None = Field(default=None, allow_inf_nan=False)
    """Allowed while the number is smaller; with `above`, between both."""

    @model_validator(mode="after")
    def _a_threshold(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("give above or below, or both")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"nothing is above {self.above:g} and below {self.below:g}")
        return self

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        try:
            query = substitute(self.query, run)
        except NothingToSubstitute as reason:
            return self.unknown(str(reason), {"query": self.query})
        inputs = {"query": query, "above": self.above, "below": self.below}
        value = await one_number(kit.prometheus, query, kit.clock.now())
        if isinstance(value, str):
            return self.unknown(value, inputs)
        inputs = {**inputs, "value": value}
        if self.above is not None and not value > self.above:
            return self.refuse(f"{value:g}, wanted above {self.above:g}", inputs, passing=True)
        if self.below is not None and not value < self.below:
            return self.refuse(f"{value:g}, wanted below {self.below:g}", inputs, passing=True)
        return self.allow(f"{value:g} is {self._wanted()}", inputs)

    def _wanted(self) -> str:
        named = (("above", self.above), ("below", self.below))
        return " and ".join(f"{word} {number:g}" for word, number in named if number is not None)
