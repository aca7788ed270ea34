"""Reads what a plan rests on: the workload itself, and what else in its namespace works on it."""

import asyncio

from remediator.clients.kube_read import KubeReader
from remediator.domain.basis import Basis
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.workloads.autoscalers import autoscalers_of
from remediator.workloads.fields import at, count, text
from remediator.workloads.floor import selects
from remediator.workloads.owners import owners_of

_BESIDE = (
    "horizontalpodautoscaler",
    "scaledobject",
    "verticalpodautoscaler",
    "poddisruptionbudget",
    "rollout",
    "canary",
)


async def read_basis(kube: KubeReader, target: Target) -> Basis | None:
    """The facts as they are now; None when the workload does not exist.

    Raises Retryable or Permanent when one of them cannot be read: what is not known has perhaps changed.
    """
    workload = await kube.get(target.kind, target.namespace, target.name)
    if workload is None:
        return None
    listed = await asyncio.gather(*(kube.list(kind, target.namespace) for kind in _BESIDE))
    return basis_of(workload, dict(zip(_BESIDE, listed, strict=True)))


def basis_of(workload: JsonObject, beside: dict[str, list[JsonObject]]) -> Basis:
    """The facts, from the workload and the lists of its namespace by kind."""
    scaling = autoscalers_of(workload, [each for kind in _BESIDE[:3] for each in beside[kind]])
    labels = at(workload, "spec", "template", "metadata", "labels") or {}
    self_scaled = any(each.touches == "replicas" for each in scaling)
    spec = at(workload, "spec") or {}
    return Basis(
        uid=text(workload, "metadata", "uid"),
        replicas=None if self_scaled else count(workload, "spec", "replicas"),
        paused=spec.get("paused") is True,
        strategy={
            field: spec[field]
            for field in ("strategy", "updateStrategy", "podManagementPolicy")
            if spec.get(field)
        },
        owners=tuple(each.title for each in owners_of(workload, beside["rollout"], beside["canary"])),
        autoscalers=tuple(sorted(f"{each.kind} {each.name}" for each in scaling)),
        budgets=tuple(
            sorted(
                text(each, "metadata", "name")
                for each in beside["poddisruptionbudget"]
                if selects(at(each, "spec", "selector"), labels)
            )
        ),
    )
