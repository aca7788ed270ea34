"""A restart is no cure for what the next pod meets again, and none when it is needed again and again."""

from datetime import timedelta
from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.change import Change
from remediator.domain.duration import format_duration
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.crash_causes import met_again

_AT_MOST = ((2, timedelta(hours=1)), (4, timedelta(days=1)))


class RestartLoop(Guard):
    """At most 2 restarts of a target in an hour and 4 in a day, whichever rules make them.

    None at all while every pod that is not ready waits for its image or its configuration, or was killed for its
    memory.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"restart"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return self.unknown(f"{run.target} does not exist")
        same_again = met_again(seen.pods)
        inputs = {"pods": len(seen.pods), "same_again": list(same_again[:5])}
        if same_again:
            return self.refuse(f"a restart is useless: {'; '.join(same_again[:3])}", inputs)
        return self.allow("no pod waits for what its next one would wait for too", inputs)

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        return tuple(
            Limit(
                guard=self.key(),
                count="effects",
                of="restart",
                fewer_than=number,
                per_seconds=window.total_seconds(),
                why=f"it was restarted {number} times in {format_duration(window)} already: that is no cure",
                passing=False,
            )
            for number, window in _AT_MOST
        )
