"""Who else says how many replicas there are: it is known before a change, and not fought over."""

from collections.abc import Sequence
from typing import ClassVar

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Scaling
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.autoscalers import Autoscaler, autoscalers_of


class Autoscaled(Guard):
    """Refuses to scale what a HorizontalPodAutoscaler or a ScaledObject (KEDA) scales, and hands that over by name.

    Neither a rollback nor a restart says how many replicas there are: before these it never refuses and names the
    autoscaler, or the VerticalPodAutoscaler, as what is to be known.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "restart", "scale", "undo"})

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
        return self.judged(autoscalers_of(workload, listed), change)

    def judged(self, found: Sequence[Autoscaler], change: Change) -> GuardVerdict:
        """The verdict on a change of a workload that these autoscalers work on."""
        inputs = {"autoscalers": [each.model_dump(mode="json") for each in found]}
        owning = [f"{each.kind} {each.name}" for each in found if each.touches == "replicas"]
        if isinstance(change, Scaling) and owning:
            return self.refuse(_hand_over(" and ".join(owning), change), inputs, hands_over=True)
        said = {"replicas": "may change the replica count", "pods": "may evict pods to resize them"}
        caveats = tuple(f"{each.kind} {each.name} {said[each.touches]} meanwhile." for each in found)
        return self.allow("no autoscaler stands against it", inputs, caveats)


def _hand_over(owning: str, change: Scaling) -> str:
    """Kubernetes' HorizontalPodAutoscaler leaves alone what wants no replicas (ScalingDisabled)."""
    if change.from_replicas == 0:
        target = change.target
        by_hand = (
            f"kubectl -n {target.namespace} scale {target.kind}/{target.name} --replicas={change.to_replicas}"
        )
        return f"{owning} scales {target}, but not from 0, which somebody set: to have it at work again, {by_hand}"
    return f"{owning} says how many replicas {change.target} has: change its bounds, not the number"
