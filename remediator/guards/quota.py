"""A rollout that no new pod fits into would hang half-way."""

from typing import ClassVar

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Eviction, Scaling
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.floor import surge_pods, while_rolling
from remediator.workloads.quota import tightest
from remediator.workloads.rollout_numbers import rollout_numbers


class Quota(Guard):
    """Waits while the namespace's ResourceQuotas leave no room for the first new pod of a rolling update.

    Where the strategy ends old pods first (maxUnavailable, Recreate) they make the room. A scaling needs room for
    all of its new pods.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "restart", "scale", "undo"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if isinstance(change, Eviction):
            return self.allow("an evicted pod makes the room for its successor")
        target = change.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        quotas = await kit.kube.list("resourcequota", target.namespace)
        if isinstance(change, Scaling):
            more = change.to_replicas - change.from_replicas
            return self.judged_scaling(quotas, workload["spec"]["template"], more)
        return self.judged(workload, quotas, change.to_template)

    def judged_scaling(self, quotas: list[JsonObject], template: JsonObject, more: int) -> GuardVerdict:
        """The verdict on so many more pods of this template."""
        try:
            most = tightest(quotas, template) if more > 0 else None
        except ValueError as reason:
            return self.unknown(str(reason))
        inputs = {"extra_pods": more, "tightest": most.model_dump(mode="json") if most is not None else None}
        if most is None or most.pods >= more:
            return self.allow("there is room for the pods of the scaling", inputs)
        return self.refuse(
            f"ResourceQuota {most.quota} has room for {most.pods} of {more} more pods ({most.resource}: {most.used} "
            f"of {most.hard})",
            inputs,
            passing=True,
        )

    def judged(self, workload: JsonObject, quotas: list[JsonObject], template: JsonObject) -> GuardVerdict:
        """The verdict on rolling out this template."""
        numbers = rollout_numbers(workload)
        if numbers is None:
            return self.unknown("how many pods there are cannot be told")
        try:
            surge = surge_pods(workload, numbers.desired)
            frees_some = while_rolling(workload, numbers.desired, numbers.desired).lowest < numbers.desired
            most = tightest(quotas, template)
        except ValueError as reason:
            return self.unknown(str(reason))
        extra = max(0, numbers.desired + surge - numbers.replicas) if surge else 0
        inputs = {"extra_pods": extra, "tightest": most.model_dump(mode="json") if most is not None else None}
        if most is None or extra == 0 or most.pods > 0:
            return self.allow("there is room for the pods of the rollout", inputs)
        full = f"ResourceQuota {most.quota} has no room for another pod ({most.resource}: {most.used} of {most.hard})"
        if frees_some:
            return self.allow(f"{full}; the strategy ends old pods first", inputs, (f"{full}.",))
        return self.refuse(f"{full}, and no old pod may end before a new one is ready", inputs, passing=True)
