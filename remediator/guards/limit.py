"""At most so many effects or runs in a window."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from remediator.domain.answers import Limit as Count
from remediator.domain.change import Change
from remediator.domain.duration import REMEMBERED, Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.step import Guard, Step


class Limit(Guard):
    """At most so many effects, or runs, of the scope within the window, counted where the intent is committed."""

    effects: int | None = Field(default=None, strict=True, ge=1, le=1000)
    """At most so many changes; those of one rung are one."""
    runs: int | None = Field(default=None, strict=True, ge=1, le=1000)
    """At most so many runs, of which the older go first. Either this or `effects`."""
    per: Duration = Field(gt=timedelta(0), le=REMEMBERED)
    """The window in which they are counted."""
    of: Literal["target", "rule", "namespace", "everything"]
    """What they are counted for: this target, this rule, this namespace, or all that is done anywhere."""

    @model_validator(mode="after")
    def _one_count(self) -> Self:
        if (self.effects is None) == (self.runs is None):
            raise ValueError("give either effects or runs")
        return self

    def narrows(self, earlier: Step) -> bool:
        """As many or fewer, in as long a window or a longer one, of the same."""
        if not isinstance(earlier, Limit) or self.of != earlier.of or self.per < earlier.per:
            return False
        fewer = (self.effects or 0) <= (earlier.effects or 0) and (self.runs or 0) <= (earlier.runs or 0)
        return fewer and (self.effects is None) == (earlier.effects is None)

    def limits(self, change: Change, run: RunView) -> tuple[Count, ...]:
        number = self.effects if self.effects is not None else self.runs
        what: Literal["effects", "runs"] = "effects" if self.effects is not None else "runs"
        return (
            Count(
                guard=self.key(),
                count=what,
                of=self.of,
                fewer_than=number or 0,
                per_seconds=self.per.total_seconds(),
                why=f"the limit of {number} {what} per {format_duration(self.per)} of {self.of} is reached",
                passing=True,
            ),
        )
