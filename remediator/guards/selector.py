"""Pods that are ready and get no traffic are no fault of theirs: the Service's selector is."""

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, TemplatePatch
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.fields import condition, text
from remediator.workloads.services import leading, missing


class Selector(Guard):
    """Refuses while pods are ready and the Service of the workload's name selects none: its selector is what is wrong.

    A Service of another name that shares a label may be of a neighbour that is switched off, or for debugging. A
    Service that leads to ready pods of the target speaks against it, and so does a change that brings the labels which
    are selected.
    """

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return self.unknown(f"{run.target} does not exist")
        ready = sum(text(condition(pod, "Ready"), "status") == "True" for pod in seen.pods)
        if not ready:
            return self.allow("no pod of it is ready, whatever Services select", {"ready_pods": 0})
        services = await kit.kube.list("service", run.target.namespace)
        slices = await kit.kube.list("endpointslice", run.target.namespace)
        reached = [each.service for each in leading(seen.template, services, slices) if each.ready]
        named = [each for each in services if text(each, "metadata", "name") == run.target.name]
        misses = missing(run.target.name, seen.template, named, slices)
        inputs = {"ready_pods": ready, "leads": reached[:5], "misses": [str(each) for each in misses[:5]]}
        if reached or not misses:
            return self.allow("no Service of its name misses its ready pods", inputs)
        after = change.to_template if isinstance(change, TemplatePatch) else seen.template
        if not missing(run.target.name, after, named, slices):
            return self.allow(f"it brings the labels that are selected: {misses[0]}", inputs)
        return self.refuse(f"{ready} pods are ready and get no traffic: {misses[0]}", inputs)
