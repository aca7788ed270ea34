"""Which autoscalers change a workload's replicas or its pods' sizes."""

from collections.abc import Iterable

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, text

_RESIZES_RUNNING = ("Auto", "Recreate", "InPlaceOrRecreate", "")
"""Update modes in which a VerticalPodAutoscaler evicts or resizes running pods; empty is Auto."""


class Autoscaler(Value):
    """One that has this workload as its target."""

    kind: str
    name: str
    touches: str
    """What it may change meanwhile: `replicas`, or `pods` that it evicts to give them other sizes."""


def autoscalers_of(workload: JsonObject, autoscalers: Iterable[JsonObject]) -> tuple[Autoscaler, ...]:
    """Those HorizontalPodAutoscalers, ScaledObjects and VerticalPodAutoscalers that name this workload."""
    return tuple(
        Autoscaler(
            kind=text(each, "kind"),
            name=text(each, "metadata", "name"),
            touches="pods" if text(each, "kind") == "VerticalPodAutoscaler" else "replicas",
        )
        for each in autoscalers
        if _names(each, workload) and not _only_recommends(each)
    )


def of_workload(workload: JsonObject, autoscalers: Iterable[JsonObject]) -> list[JsonObject]:
    """Those that name this workload, whatever they do about it."""
    return [each for each in autoscalers if _names(each, workload)]


def _names(autoscaler: JsonObject, workload: JsonObject) -> bool:
    vertical = text(autoscaler, "kind") == "VerticalPodAutoscaler"
    reference = at(autoscaler, "spec", "targetRef" if vertical else "scaleTargetRef")
    # KEDA's ScaledObject may leave the kind out: it is a Deployment then.
    kind = text(reference, "kind") or "Deployment"
    return (kind, text(reference, "name")) == (text(workload, "kind"), text(workload, "metadata", "name"))


def _only_recommends(autoscaler: JsonObject) -> bool:
    if text(autoscaler, "kind") != "VerticalPodAutoscaler":
        return False
    return text(autoscaler, "spec", "updatePolicy", "updateMode") not in _RESIZES_RUNNING
