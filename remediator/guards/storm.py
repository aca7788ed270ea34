"""When too much fires at once, nothing is changed: the cause is elsewhere, or monitoring is broken."""

import asyncio
from datetime import timedelta

from pydantic import Field

from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.storm import Dependent, Surroundings
from remediator.kit import Kit
from remediator.step import TargetGuard

_LOOKS = 12
_SECONDS_BETWEEN_LOOKS = 0.25


class Storm(TargetGuard):
    """Holds while a storm is on, and while another target fires that needs what this one needs.

    Counted are targets that acting rules are for and that began to fire within `window`.
    In a storm only the target is asked about that was rolled out before all others fired, if there is one.
    """

    of_alerts = True

    in_namespace: int = Field(default=4, strict=True, ge=2, le=100_000)
    """So many targets of one namespace are a storm there."""
    anywhere: int = Field(default=8, strict=True, ge=2, le=100_000)
    """So many targets of all namespaces are a storm everywhere."""
    window: Duration = timedelta(minutes=5)
    """They began to fire within this time."""
    together: Duration = timedelta(minutes=30)
    """Two targets with a common `depends_on` hold when their alerts began no further apart than this."""

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        return self.judged(run, await self._seen(run, kit))

    def judged(self, run: RunView, seen: Surroundings) -> GuardVerdict:
        """The verdict on a target beside which this fires."""
        inputs = {
            "in_namespace": seen.in_namespace,
            "anywhere": seen.anywhere,
            "unplanned": seen.unplanned,
            "thresholds": {"in_namespace": self.in_namespace, "anywhere": self.anywhere},
            "window_seconds": self.window.total_seconds(),
            "storm": seen.storm.id if seen.storm is not None else None,
            "dependents": [each.target for each in seen.dependents],
        }
        if seen.storm is not None:
            if seen.storm.offered == str(run.target) and seen.storm.offer is not None:
                return self.ask(seen.storm.offer, inputs)
            return self.refuse(seen.storm.why, inputs, passing=True)
        if self._is_reached(seen):
            return self.refuse(
                f"{self._began(seen)}: too many to tell cause from effect", inputs, passing=True
            )
        if seen.dependents:
            return self.refuse(_shared(run, seen.dependents[0]), inputs, passing=True)
        if seen.unplanned and (run.depends_on or self._is_reached(seen, seen.unplanned)):
            return self.unknown(
                f"{seen.unplanned} alerts that just came have not been looked at, so it cannot be told "
                "whether this is a storm",
                inputs,
            )
        return self.allow(self._began(seen), inputs)

    def target_limits(self, run: RunView) -> tuple[Limit, ...]:
        return (
            Limit(
                guard=self.key(),
                count="storms",
                of="target",
                fewer_than=1,
                per_seconds=0,
                why="a storm covers this target",
                passing=True,
            ),
        )

    def _is_reached(self, seen: Surroundings, more: int = 0) -> bool:
        return seen.in_namespace + more >= self.in_namespace or seen.anywhere + more >= self.anywhere

    def _began(self, seen: Surroundings) -> str:
        return (
            f"{seen.in_namespace} targets in the namespace and {seen.anywhere} anywhere began to fire within "
            f"{format_duration(self.window)} (a storm: {self.in_namespace} or {self.anywhere})"
        )

    async def _seen(self, run: RunView, kit: Kit) -> Surroundings:
        """What fires beside the target. Alerts that came with its own are planned in moments: it waits for that."""
        seen = await kit.history.surroundings(run.target, run.depends_on, self.window, self.together)
        for _ in range(_LOOKS):
            if not seen.unplanned or seen.storm is not None:
                break
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            seen = await kit.history.surroundings(run.target, run.depends_on, self.window, self.together)
        return seen


def _shared(run: RunView, other: Dependent) -> str:
    needs = ", ".join(other.shared)
    return (
        f"{other.target} fires too ({other.alertname}, since {other.starts_at:%H:%M:%S}) and needs {needs}, as "
        f"{run.target} does: look at {needs} first"
    )
