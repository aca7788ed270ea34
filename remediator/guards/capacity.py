"""More pods are no help where those there are find no node."""

from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.unscheduled import unscheduled

_SHOWN = 3


class Capacity(Guard):
    """Waits before a scaling while a pod of the target finds no node: the next one would wait beside it.

    Node capacity is not computed: the scheduler's own word is taken. That no pod waits does not prove that there is
    room; what then finds none is seen by the verifications, and is taken back by a person.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"scale"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return self.unknown(f"{run.target} does not exist")
        waiting = unscheduled(seen.pods)
        inputs = {"pods": len(seen.pods), "unscheduled": len(waiting)}
        if waiting:
            named = "; ".join(waiting[:_SHOWN])
            return self.refuse(
                f"{len(waiting)} of {len(seen.pods)} pods find no node: {named}", inputs, passing=True
            )
        return self.allow("every pod of it has a node", inputs)
