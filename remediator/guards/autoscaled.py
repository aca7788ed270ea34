"""Autoscalers go on working while a change is made; whoever reads the plan should know of them."""

from typing import ClassVar

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.autoscalers import autoscalers_of


class Autoscaled(Guard):
    """Never refuses: neither a rollback nor a restart says how many replicas there are.

    It names the HorizontalPodAutoscaler, ScaledObject (KEDA) or VerticalPodAutoscaler as what is to be known.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "restart", "undo"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        target = change.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        listed = [
            *await kit.kube.list("horizontalpodautoscaler", target.namespace),
            *await kit.kube.list("scaledobject", target.namespace),
            *await kit.kube.list("verticalpodautoscaler", target.namespace),
        ]
        found = autoscalers_of(workload, listed)
        said = {"replicas": "may change the replica count", "pods": "may evict pods to resize them"}
        caveats = tuple(f"{each.kind} {each.name} {said[each.touches]} meanwhile." for each in found)
        inputs = {"autoscalers": [each.model_dump(mode="json") for each in found]}
        return self.allow("no autoscaler stands against it", inputs, caveats)
