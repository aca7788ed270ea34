"""Nothing is changed in this time: people planned it so."""

from remediator.domain.answers import Limit
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard


class Freeze(TargetGuard):
    """Refuses from the beginning to the end of every freeze that covers the target. Freezes are in our database."""

    before_each_write = True

    async def on_target(self, run: RunView, kit: Kit) -> None:
        return None

    def target_limits(self, run: RunView) -> tuple[Limit, ...]:
        return (
            Limit(
                guard=self.key(),
                count="freezes",
                of="target",
                fewer_than=1,
                per_seconds=0,
                why="a freeze covers this target",
                passing=True,
            ),
        )
