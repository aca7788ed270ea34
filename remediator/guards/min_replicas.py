"""A workload with too few pods is left to people."""

from typing import ClassVar

from pydantic import Field

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.rollout_numbers import rollout_numbers


class MinReplicas(Guard):
    """`min_replicas: 2`: the target wants at least so many pods, and so many are ready now.

    What a DaemonSet wants is a pod on each of its nodes (desiredNumberScheduled). Other than `floor`, which
    asks what the change would leave, this refuses while pods are missing already: for changes that make
    things worse before they make them better, and not for a rollback of what never became ready.
    """

    bare: ClassVar[str | None] = "replicas"

    replicas: int = Field(strict=True, ge=1, le=10_000)
    """So many pods are wanted, and ready."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        return self.judged(workload)

    def judged(self, workload: JsonObject) -> GuardVerdict:
        """The verdict on a workload as it was just read."""
        numbers = rollout_numbers(workload)
        if numbers is None:
            return self.unknown("how many pods it wants and has cannot be told")
        inputs = {"wanted": numbers.desired, "ready": numbers.ready, "at_least": self.replicas}
        if numbers.desired < self.replicas:
            return self.refuse(f"it wants {numbers.desired} pods, fewer than {self.replicas}", inputs)
        if numbers.ready < self.replicas:
            why = f"{numbers.ready} of {numbers.desired} pods are ready, fewer than {self.replicas}"
            return self.refuse(why, inputs, passing=True)
        return self.allow(f"{numbers.ready} of {numbers.desired} pods are ready", inputs)
