"""Which containers were held back or begun anew in the week, in the namespaces that have opted in."""

import asyncio
import math
from typing import NamedTuple

from remediator.clients.prometheus import Sample
from remediator.digest.resource_use import NOBODY
from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.errors import RemediatorError
from remediator.workloads.usage import CONTAINERS


class Measure(NamedTuple):
    """One query over the week, who has its series, how a value is told, and from which on it is worth a look."""

    named: str
    query: str
    whose: str
    what: str
    look_from: float


_BY = "namespace, pod, container"
_WEEK = '{namespace=~"%s", ' + CONTAINERS + "}[7d]"
MEASURES = (
    Measure(
        "throttling",
        f"topk(5, sum by ({_BY}) (increase(container_cpu_cfs_throttled_periods_total{_WEEK}))"
        f" / sum by ({_BY}) (increase(container_cpu_cfs_periods_total{_WEEK})))",
        "cAdvisor",
        "throttled in {:.0%} of periods",
        0.25,
    ),
    Measure(
        "restarts",
        f"topk(5, sum by ({_BY}) (increase(kube_pod_container_status_restarts_total{_WEEK})))",
        "kube-state-metrics",
        "restarted {:.0f} times",
        1.0,
    ),
)


async def fill(sources: Sources) -> Found:
    namespaces = sorted(await sources.opted_in())
    if not namespaces:
        return Found(lines=(unknown(NOBODY),))

    async def ask(measure: Measure) -> list[Line]:
        try:
            samples = await sources.kit.prometheus.query(measure.query.replace("%s", "|".join(namespaces)))
        except RemediatorError as reason:
            return [unknown(f"{measure.named}: {reason.sentence}")]
        known = [each for each in samples if math.isfinite(each.value)]
        if not known:
            return [
                unknown(
                    f"{measure.named}: Prometheus has no series of {measure.whose} about these namespaces"
                )
            ]
        return [_line(measure, each) for each in known]

    told = await asyncio.gather(*map(ask, MEASURES))
    return Found(lines=tuple(line for lines in told for line in lines))


def _line(measure: Measure, sample: Sample) -> Line:
    labels = sample.labels
    of = f"{labels.get('namespace')}: {labels.get('container')} of {labels.get('pod')}"
    said = f"{of} {measure.what.format(sample.value)}"
    return look(said) if sample.value >= measure.look_from else fine(said)
