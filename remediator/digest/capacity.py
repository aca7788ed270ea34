"""How much of the cluster is asked for, how full its volumes are, and when they will be full."""

import asyncio
from typing import NamedTuple

from remediator.digest.over_week import Share, shares
from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.domain.sparkline import sparkline
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError

_FULL = 0.85
_SOON = 30.0
"""Days."""


class Measure(NamedTuple):
    """One query for a share, and who has its series."""

    what: str
    query: str
    whose: str


def _asked_for(resource: str) -> str:
    return (
        f'sum(kube_pod_container_resource_requests{{resource="{resource}"}})'
        f' / sum(kube_node_status_allocatable{{resource="{resource}"}})'
    )


MEASURES = (
    Measure("processor asked for", _asked_for("cpu"), "kube-state-metrics"),
    Measure("memory asked for", _asked_for("memory"), "kube-state-metrics"),
    Measure(
        "volume",
        "max by (namespace, persistentvolumeclaim)"
        " (kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes)",
        "the kubelets",
    ),
)


async def fill(sources: Sources) -> Found:
    async def ask(measure: Measure) -> tuple[list[Line], list[JsonObject]]:
        try:
            found = await shares(sources.kit.prometheus, measure.query, sources.stretch.end)
        except RemediatorError as reason:
            return [unknown(f"{measure.what}: {reason.sentence}")], []
        if not found:
            return [unknown(f"{measure.what}: Prometheus has no series of {measure.whose} about it")], []
        return [_line(measure.what, each) for each in found], [each.to_json() for each in found]

    told = await asyncio.gather(*map(ask, MEASURES))
    return Found(
        lines=tuple(line for lines, _ in told for line in lines),
        details={each.what: numbers for each, (_, numbers) in zip(MEASURES, told, strict=True)},
    )


def _line(what: str, share: Share) -> Line:
    of = "/".join(
        value for name in ("namespace", "persistentvolumeclaim") if (value := share.labels.get(name))
    )
    said = f"{what}{' ' if of else ''}{of}: {share.now:.0%} {sparkline(share.history, 0.0, 1.0)}"
    if share.days_left is not None:
        said += f", full in {share.days_left:.0f} days if it goes on so"
    soon = share.days_left is not None and share.days_left < _SOON
    return look(said) if soon or share.now >= _FULL else fine(said)
