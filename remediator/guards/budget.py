"""So many effects at most, whatever the alerts say: the bound on what a mistake can cost."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from remediator.domain.answers import Limit
from remediator.domain.change import Change
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.step import Guard


class Budget(Guard):
    """Holds while the effects of all replicas together fill a budget; a plan needs room for all its changes.

    A slot is taken from the intent until `per` after its outcome is recorded. An effect is unsettled until
    its verification has ended, and for as long as nobody can tell whether it was made.
    """

    everywhere: int = Field(default=5, strict=True, ge=1, le=1000)
    """Effects within `per`."""
    in_namespace: int = Field(default=2, strict=True, ge=1, le=1000)
    """Effects within `per` in one namespace."""
    per: Duration = timedelta(minutes=10)
    """A slot is free again so long after the outcome of its effect is known."""
    unsettled: int = Field(default=2, strict=True, ge=1, le=1000)
    """Effects at once, anywhere, of which it is not known yet whether they helped."""

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        per = format_duration(self.per)
        return (
            self._slots("everything", self.everywhere, f"{self.everywhere} effects in {per} everywhere"),
            self._slots(
                "namespace",
                self.in_namespace,
                f"{self.in_namespace} effects in {per} in namespace {run.target.namespace}",
            ),
            Limit(
                guard=self.key(),
                count="unsettled",
                of="everything",
                fewer_than=self.unsettled + 1,
                per_seconds=0,
                why=f"{self.unsettled} unsettled effects at once",
                passing=True,
            ),
        )

    def _slots(self, of: Literal["everything", "namespace"], most: int, budget: str) -> Limit:
        return Limit(
            guard=self.key(),
            count="slots",
            of=of,
            fewer_than=most + 1,
            per_seconds=self.per.total_seconds(),
            why=budget,
            passing=True,
        )
