"""Somebody asked us to stand still."""

from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import TargetGuard

PAUSED = "remediator.io/paused"
"""Annotation on a namespace or a workload; its value says why."""


class Pause(TargetGuard):
    """Refuses while a pause covers the target: in our database, or by annotation with kubectl alone."""

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        namespace = await kit.kube.namespace(target.namespace)
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if namespace is None:
            return self.unknown(f"namespace {target.namespace} cannot be found to see whether it is paused")
        for where, found in ((f"namespace {target.namespace}", namespace), (str(target), workload)):
            why = _paused(found)
            if why is not None:
                return self.refuse(
                    f"{where} is paused: {why or 'no reason given'}", {"where": where}, passing=True
                )
        return self.allow("neither the namespace nor the workload is annotated as paused")

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


def _paused(found: JsonObject | None) -> str | None:
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    value = annotations.get(PAUSED)
    return None if value is None else str(value)
