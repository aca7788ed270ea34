"""New pods are no cure for what the next one meets again, and none when they are needed again and again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.change import Change, Eviction
from remediator.domain.duration import format_duration
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.crash_causes import met_again, pod_met_again
from remediator.workloads.out_of_memory import killed_since

_SHORTLY = timedelta(minutes=10)
_AT_MOST = ((2, timedelta(hours=1)), (4, timedelta(days=1)))


class RestartLoop(Guard):
    """At most 2 restarts of a target in an hour and 4 in a day, whichever rules make them; and as many evictions.

    No restart at all while every pod that is not ready waits for its image or its configuration, or was killed for
    its memory; nor an eviction of such a pod, unless another of the same version is ready: then its place may be what
    ails it. An eviction that completes a rollback is none of these.

    Nor a restart when the pod that the alert names, or every pod, was killed for its memory since shortly before the
    alert, although it is ready again: it was started anew already, with the same limit.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"restart", "evict_pod"})

    def applies_to(self, change: Change, run: RunView) -> bool:
        return super().applies_to(change, run) and not (isinstance(change, Eviction) and change.completes)

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return self.unknown(f"{run.target} does not exist")
        evicts = isinstance(change, Eviction)
        same_again = (
            pod_met_again(seen.pods, change.pod)
            if isinstance(change, Eviction)
            else met_again(seen.pods) or _killed_again(seen.pods, run)
        )
        inputs = {"pods": len(seen.pods), "same_again": list(same_again[:5])}
        if same_again:
            what = "an eviction" if evicts else "a restart"
            return self.refuse(f"{what} is useless: {'; '.join(same_again[:3])}", inputs)
        return self.allow("no pod waits for what its next one would wait for too", inputs)

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        was = "a pod of it was evicted" if isinstance(change, Eviction) else "it was restarted"
        return tuple(
            Limit(
                guard=self.key(),
                count="effects",
                of="action",
                fewer_than=number,
                per_seconds=window.total_seconds(),
                why=f"{was} {number} times in {format_duration(window)} already: that is no cure",
                passing=False,
            )
            for number, window in _AT_MOST
        )


def _killed_again(pods: Sequence[JsonObject], run: RunView) -> tuple[str, ...]:
    began = run.alert.starts_at if run.alert is not None else run.created_at
    labels = run.alert.labels if run.alert is not None else {}
    blamed = labels.get("exported_pod") or labels.get("pod")
    return tuple(str(each) for each in killed_since(pods, began - _SHORTLY, blamed))
