"""A change may not take away the last pods that serve."""

from pydantic import Field

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Eviction, Scaling
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.consent import mark
from remediator.workloads.fields import at, condition
from remediator.workloads.floor import (
    INTERRUPTIBLE,
    Estimate,
    healthy_wanted,
    while_evicting,
    while_rolling,
    while_scaling,
)
from remediator.workloads.rollout_numbers import rollout_numbers


class Floor(Guard):
    """Never fewer ready pods than `replicas`, or than there are now if those are fewer.

    By our own estimate from the rollout strategy; nothing ready already means nothing to lose. Where the
    strategy itself leaves no pod ready (Recreate, a single pod of a StatefulSet) a person has to agree,
    unless the workload's team says that it may be interrupted. PodDisruptionBudgets bind evictions only.
    """

    replicas: int = Field(default=1, strict=True, ge=1, le=10_000)
    """So many pods stay ready."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        target = change.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        if isinstance(change, Eviction):
            return await self._of_eviction(change, workload, kit)
        if isinstance(change, Scaling):
            return self.judged_scaling(workload, change.to_replicas)
        return self.judged(workload)

    async def _of_eviction(self, change: Eviction, workload: JsonObject, kit: Kit) -> GuardVerdict:
        namespace, numbers = change.target.namespace, rollout_numbers(workload)
        if numbers is None:
            return self.unknown("how many pods are ready cannot be told")
        pod = await kit.kube.get("pod", namespace, change.pod)
        ready = pod is not None and condition(pod, "Ready").get("status") == "True"
        budgets = await kit.kube.list("poddisruptionbudget", namespace) if ready else []
        try:
            wanted = healthy_wanted(budgets, at(pod, "metadata", "labels") or {})
        except ValueError as reason:
            return self.unknown(str(reason))
        return self.judged_eviction(numbers.ready, ready, wanted)

    def judged(self, workload: JsonObject) -> GuardVerdict:
        """The verdict on replacing this workload's template."""
        numbers = rollout_numbers(workload)
        if numbers is None:
            return self.unknown("how many pods are ready cannot be told")
        try:
            estimate = while_rolling(workload, numbers.desired, numbers.ready)
        except ValueError as reason:
            return self.unknown(str(reason))
        enough = self._kept(estimate, self.replicas)
        if enough is not None:
            return enough
        if self.replicas > 1:
            return self._too_few(estimate, self.replicas)
        inputs = _inputs(estimate, self.replicas)
        if mark(workload, INTERRUPTIBLE) == "true":
            return self.allow(f"its team says that it may be interrupted ({INTERRUPTIBLE}=true)", inputs)
        return self.ask(
            f"for a moment no pod would be ready: {estimate.why}; {INTERRUPTIBLE}=true on the workload is its "
            "team's word that this is fine",
            inputs,
        )

    def judged_scaling(self, workload: JsonObject, to: int) -> GuardVerdict:
        """The verdict on wanting so many replicas: pods beyond them are ended at once."""
        numbers = rollout_numbers(workload)
        if numbers is None:
            return self.unknown("how many pods are ready cannot be told")
        estimate = while_scaling(workload, numbers.desired, numbers.ready, to)
        enough = self._kept(estimate, self.replicas)
        if enough is not None:
            return enough
        if self.replicas > 1:
            return self._too_few(estimate, self.replicas)
        return self.ask(f"no ready pod may be left: {estimate.why}", _inputs(estimate, self.replicas))

    def judged_eviction(self, ready: int, pod_is_ready: bool, wanted: int) -> GuardVerdict:
        """The verdict on evicting one pod, of which PodDisruptionBudgets want so many healthy."""
        estimate, wanted = while_evicting(ready, pod_is_ready), max(self.replicas, wanted)
        return self._kept(estimate, wanted) or self._too_few(estimate, wanted)

    def _kept(self, estimate: Estimate, wanted: int) -> GuardVerdict | None:
        if estimate.lowest < min(estimate.ready, wanted):
            return None
        kept = f"at least {estimate.lowest} of {estimate.ready} ready pods stay: {estimate.why}"
        why = kept if estimate.ready else "no pod is ready, so none can be lost"
        return self.allow(why, _inputs(estimate, wanted))

    def _too_few(self, estimate: Estimate, wanted: int) -> GuardVerdict:
        why = f"it may leave {estimate.lowest} ready pods, fewer than {wanted}: {estimate.why}"
        return self.refuse(why, _inputs(estimate, wanted))


def _inputs(estimate: Estimate, wanted: int) -> dict[str, object]:
    return {**estimate.model_dump(mode="json"), "floor": wanted}
