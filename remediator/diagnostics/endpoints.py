"""Whether anything leads to the target's pods: its Services and their EndpointSlices."""

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.fields import condition, text
from remediator.workloads.services import Leads, Misses, leading, missing

_MOST = 20
_IN_SUMMARY = 3


class Endpoints(Diagnostic):
    """Ready and unready endpoints of each Service that selects the pods; those that miss them, and by which label."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        services = await kit.kube.list("service", run.target.namespace)
        slices = await kit.kube.list("endpointslice", run.target.namespace)
        leads = leading(seen.template, services, slices)
        misses = missing(run.target.name, seen.template, services, slices)
        return Evidence(
            step=self.key(),
            summary=_summary(leads, misses, _ready_pods(seen)),
            details={
                "services": _rows(leads),
                "mismatches": [{**each.to_json(), "said": str(each)} for each in misses[:_MOST]],
                "ready_pods": _ready_pods(seen),
                "left_out": max(0, len(leads) - _MOST) + max(0, len(misses) - _MOST),
            },
        )


def _rows(leads: list[Leads]) -> list[JsonObject]:
    return [each.to_json() for each in leads[:_MOST]]


def _ready_pods(seen: SeenWorkload) -> int:
    return sum(text(condition(pod, "Ready"), "status") == "True" for pod in seen.pods)


def _summary(leads: list[Leads], misses: list[Misses], ready_pods: int) -> str:
    said = [_said(each, ready_pods) for each in leads[:_IN_SUMMARY]] or ["no Service selects its pods"]
    said += [str(each) for each in misses[:_IN_SUMMARY]]
    return "; ".join(said)


def _said(each: Leads, ready_pods: int) -> str:
    counts = f"{each.ready} ready, {each.not_ready} not ready"
    counts += f", {each.terminating} going away" if each.terminating else ""
    said = f"Service {each.service}: {counts}"
    if not each.ready and ready_pods:
        said += f", although {ready_pods} pods are ready"
    if each.wrong_ports:
        said += f"; no container has a port named {', '.join(each.wrong_ports)}"
    return said
