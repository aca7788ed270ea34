"""What the target's pods use of processor and memory, beside what they ask for and may have."""

from collections.abc import Sequence

from remediator.clients.used import asked, used_in
from remediator.clients.workload import labels_of, look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.usage import Usage as Row
from remediator.workloads.usage import series_of, share, usage_of

_MOST = 50
_THROTTLED = (
    "sum by (pod, container) (rate(container_cpu_cfs_throttled_periods_total{%s}[5m]))"
    " / sum by (pod, container) (rate(container_cpu_cfs_periods_total{%s}[5m]))"
)
_GROWTH = "3600 * max by (pod, container) (deriv(container_memory_working_set_bytes{%s}[1h]))"


class Usage(Diagnostic):
    """CPU and memory of each container beside request and limit, throttling, and how fast memory grows.

    From metrics.k8s.io; where a cluster does not have it, or it does not answer, from cAdvisor's series in
    Prometheus. Throttling and growth are known to Prometheus alone.
    """

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        namespace, series = run.target.namespace, series_of(run.target)
        told = await used_in(kit.kube, kit.prometheus, namespace, series, labels_of(seen.workload))
        throttled, why = await asked(kit.prometheus, _THROTTLED, series)
        growth, _ = await asked(kit.prometheus, _GROWTH, series)
        without = (*told.without, *([f"throttling and growth: {why}"] if why else []))
        rows = usage_of(seen.pods, told.used, throttled, growth)
        known = [each for each in rows if each.cpu is not None or each.memory is not None]
        return Evidence(
            step=self.key(),
            summary="; ".join((_said(known, told.source), *without)),
            details={
                "source": told.source,
                "containers": [each.to_json() for each in rows[:_MOST]],
                "unknown": len(rows) - len(known),
                "left_out": max(0, len(rows) - _MOST),
            },
            failed=not told.source,
        )


def _said(rows: Sequence[Row], source: str) -> str:
    if not rows:
        return "what its pods use is not known"
    cpu, memory = (sum(getattr(each, name) or 0.0 for each in rows) for name in ("cpu", "memory"))
    parts = [
        f"{cpu:.2f} cores and {memory / 2**20:.0f} MiB in {len({each.pod for each in rows})} pods ({source})"
    ]
    fullest = max(rows, key=lambda each: each.fullest)
    for name, what in (("cpu", "cpu"), ("memory", "memory")):
        part = share(getattr(fullest, name), getattr(fullest, f"{name}_limit"))
        if part is not None:
            parts.append(f"fullest {fullest.container} of {fullest.pod}: {part:.0%} of its {what} limit")
    throttled = max((each.throttled or 0.0 for each in rows), default=0.0)
    if throttled:
        parts.append(f"throttled in up to {throttled:.0%} of periods")
    left = min((each.hours_left for each in rows if each.hours_left is not None), default=None)
    if left is not None and left <= 24:
        parts.append(f"memory reaches its limit in {left:.1f} h if it grows on so")
    return "; ".join(parts)
