"""Leave a target alone for a while after changing it."""

from datetime import timedelta

from pydantic import Field

from remediator.domain.answers import Limit
from remediator.domain.change import Change
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.step import Guard, Step


class Cooldown(Guard):
    """No second effect on the same target within `for`, whatever rule or action made the first."""

    lasts: Duration = Field(default=timedelta(minutes=30), alias="for")
    """So long after the last change, whatever made it."""

    def narrows(self, earlier: Step) -> bool:
        """As long or longer."""
        return isinstance(earlier, Cooldown) and self.lasts >= earlier.lasts

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        return (
            Limit(
                guard=self.key(),
                count="effects",
                of="target",
                fewer_than=1,
                per_seconds=self.lasts.total_seconds(),
                why=f"this target was changed less than {format_duration(self.lasts)} ago",
                passing=True,
                other_runs_only=True,
            ),
        )
