"""Only namespaces whose owners said yes, and of those only the kinds that this covers."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard
from remediator.workloads.consent import ENABLED, mark, why_not_opted_in


class OptedIn(TargetGuard):
    """Refuses unless the target's namespace is labelled `remediator.io/enabled: "true"`.

    StatefulSets and DaemonSets have to carry the mark themselves as well.
    """

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        namespace = await kit.kube.namespace(target.namespace)
        if namespace is None:
            return self.refuse(
                f"namespace {target.namespace} does not exist", {"namespace": target.namespace}
            )
        value = (namespace["metadata"].get("labels") or {}).get(ENABLED)
        if value != "true":
            return self.refuse(
                f"namespace {target.namespace} has not opted in: label it {ENABLED}=true to allow changes",
                {"value": value},
            )
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.refuse(f"{target} does not exist", {"value": value})
        inputs = {"value": value, "workload": mark(workload, ENABLED)}
        not_opted_in = why_not_opted_in(workload)
        if not_opted_in is not None:
            return self.refuse(not_opted_in, inputs)
        return self.allow(f"namespace {target.namespace} is labelled {ENABLED}=true", inputs)
