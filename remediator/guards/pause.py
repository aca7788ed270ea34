"""Somebody asked us to stand still."""

import asyncio

from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard
from remediator.workloads.paused import PAUSED, paused


class Pause(TargetGuard):
    """Refuses while a pause covers the target: in our database, by annotation with kubectl alone, or by a file."""

    before_each_write = True

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        namespace, workload, file = await asyncio.gather(
            kit.kube.namespace(target.namespace),
            kit.kube.get(target.kind, target.namespace, target.name),
            kit.pause_file.read(),
        )
        if namespace is None:
            return self.unknown(f"namespace {target.namespace} cannot be found to see whether it is paused")
        found = (
            file,
            paused(namespace, "namespace", target.namespace),
            paused(workload or {}, "target", str(target)),
        )
        switches = tuple(each for each in found if each is not None)
        if not switches:
            where = f", and there is no {kit.pause_file.path}" if kit.pause_file.path is not None else ""
            return self.allow(f"neither the namespace nor the workload is annotated {PAUSED}{where}")
        refusal = self.refuse(
            "; ".join(each.sentence for each in switches),
            {"switches": [each.to_json() for each in switches]},
            passing=True,
        )
        return refusal.model_copy(update={"switches": switches})

    def target_limits(self, run: RunView) -> tuple[Limit, ...]:
        return (
            Limit(
                guard=self.key(),
                count="pauses",
                of="target",
                fewer_than=1,
                per_seconds=0,
                why="a pause covers this target",
                passing=True,
            ),
        )
