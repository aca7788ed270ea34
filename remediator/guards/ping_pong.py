"""The same pair of versions is tried once, and nothing is rolled back to what was left."""

from datetime import timedelta
from typing import ClassVar

from remediator.domain.answers import Limit
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.step import Guard

_WINDOW = timedelta(hours=24)


class PingPong(Guard):
    """At most one rollback of this from-to pair in 24 hours, and none to a version we left within them."""

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback"})

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        seconds = _WINDOW.total_seconds()
        return (
            Limit(
                guard=self.key(),
                count="effects",
                of="pair",
                fewer_than=1,
                per_seconds=seconds,
                why="this very rollback was already made in the last 24 hours",
                passing=False,
            ),
            Limit(
                guard=self.key(),
                count="effects",
                of="return",
                fewer_than=1,
                per_seconds=seconds,
                why="the version it would go to is one we rolled away from in the last 24 hours",
                passing=False,
            ),
        )
