"""Facts of the workload's HorizontalPodAutoscaler."""

from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.facts.target import seen
from remediator.kit import Kit
from remediator.workloads.autoscalers import autoscalers_of
from remediator.workloads.fields import count, text


async def name(run: RunView, kit: Kit) -> str:
    return text(await _autoscaler(run, kit), "metadata", "name")


async def fewest(run: RunView, kit: Kit) -> str:
    # Kubernetes takes 1 where nothing is said (autoscaling/v2, minReplicas).
    lowest = count(await _autoscaler(run, kit), "spec", "minReplicas")
    return str(1 if lowest is None else lowest)


async def most(run: RunView, kit: Kit) -> str:
    return str(_most(await _autoscaler(run, kit)))


async def raised(run: RunView, kit: Kit) -> str:
    """Half as many more, and at least one."""
    highest = _most(await _autoscaler(run, kit))
    return str(highest + max(1, highest // 2))


def _most(autoscaler: JsonObject) -> int:
    highest = count(autoscaler, "spec", "maxReplicas")
    if not highest:
        raise Permanent("it says no maxReplicas")
    return highest


async def _autoscaler(run: RunView, kit: Kit) -> JsonObject:
    workload = (await seen(run, kit)).workload
    listed = await kit.kube.list("horizontalpodautoscaler", run.target.namespace)
    found = [each for each in listed if autoscalers_of(workload, [each])]
    if len(found) != 1:
        raise Permanent("it has none" if not found else f"it has {len(found)} of them")
    if text(found[0], "metadata", "ownerReferences") or "scaledobject.keda.sh/name" in (
        found[0]["metadata"].get("labels") or {}
    ):
        raise Permanent("KEDA made it, and would put its own bounds back: change the ScaledObject")
    return found[0]
