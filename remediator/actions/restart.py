"""Restart the pods of a workload, as `kubectl rollout restart` does, with a stamp fixed in advance."""

from copy import deepcopy

from remediator.domain.answers import Proposal, Refusal
from remediator.domain.change import RESTARTED_AT, TemplatePatch
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Action
from remediator.workloads.consent import why_ask
from remediator.workloads.rollout_status import rolls_by_itself

_ON_DELETE = "a restart stamp replaces no pod there, somebody has to delete them one by one"


class Restart(Action):
    """Sets the restart annotation of the pod template to an absolute time, so that sending it twice is once."""

    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        target = run.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return Proposal(refusal=Refusal(why=f"{target} does not exist"))
        if not rolls_by_itself(workload):
            return Proposal(refusal=Refusal(why=f"{target} has the update strategy OnDelete: {_ON_DELETE}"))
        before: JsonObject = workload["spec"]["template"]
        stamp = kit.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        after = deepcopy(before)
        metadata = after.setdefault("metadata", {}) or {}
        after["metadata"] = metadata
        metadata["annotations"] = {**(metadata.get("annotations") or {}), RESTARTED_AT: stamp}
        earlier = ((before.get("metadata") or {}).get("annotations") or {}).get(RESTARTED_AT, "never")
        change = TemplatePatch(
            action=self.key(),
            target=target,
            uid=workload["metadata"]["uid"],
            from_template=before,
            to_template=after,
            from_title=f"last restarted: {earlier}",
            to_title=f"restarted at {stamp}",
            summary=f"restart the pods of {target}: nothing but {RESTARTED_AT} changes",
            ask_because=why_ask(workload),
        )
        return Proposal(changes=(change,))
