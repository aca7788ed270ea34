"""What kube-state-metrics recorded in Prometheus of a ReplicaSet: history from before our own memory.

Deployments only: of a StatefulSet or DaemonSet it exports the counts of the whole, and nothing that would
tell which revision the ready pods were of.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from remediator.clients.prometheus import PrometheusClient, Series
from remediator.domain.target import Target

_LONGEST_GAP = timedelta(minutes=2)
"""Between two samples. kube-state-metrics is scraped every 30 s or 1 min; one scrape may fail."""

_OF_THE_SCRAPE = frozenset(
    {
        *("__name__", "container", "endpoint", "instance", "job", "node", "pod"),
        *("prometheus", "prometheus_replica", "replica", "service"),
    }
)
"""Labels in which two series of the same thing may differ: another scrape, another replica of it."""


async def was_available(
    prometheus: PrometheusClient,
    target: Target,
    replica_set: str,
    soak: timedelta,
    until: datetime,
    cluster: tuple[str, str] | None = None,
) -> bool:
    """Whether a ReplicaSet had every pod its Deployment asked for, ready, for the whole `soak` before `until`.

    False for whatever is not proven: a sample missing for two minutes, series that may be another cluster's.
    `cluster` is the label by which clusters are told apart, and ours. Raises as PrometheusClient does.
    """
    namespace = f'namespace="{target.namespace}"'
    of_set, of_deployment = f'replicaset="{replica_set}"', f'deployment="{target.name}"'
    selectors = (
        f"kube_replicaset_status_ready_replicas{{{namespace},{of_set}}}",
        f"kube_replicaset_spec_replicas{{{namespace},{of_set}}}",
        f"kube_deployment_spec_replicas{{{namespace},{of_deployment}}}",
    )
    found = [await prometheus.recorded(each, soak, until) for each in selectors]
    if not all(_of_one_cluster(series, cluster) for series in found):
        return False
    ready, wanted_of_it, wanted = (_by_moment(series) for series in found)
    well = [
        moment
        for moment in sorted({*ready, *wanted_of_it, *wanted})
        if _all_ready(ready.get(moment), wanted_of_it.get(moment), wanted.get(moment))
    ]
    broken = len(well) < len({*ready, *wanted_of_it, *wanted})
    return not broken and _covers(well, until - soak, until)


def _of_one_cluster(found: Sequence[Series], cluster: tuple[str, str] | None) -> bool:
    """Whether all are of the same thing, and none names another cluster than ours."""
    if cluster is not None and any(each.labels.get(cluster[0], cluster[1]) != cluster[1] for each in found):
        return False
    same = [{k: v for k, v in each.labels.items() if k not in _OF_THE_SCRAPE} for each in found]
    return all(each == same[0] for each in same)


def _by_moment(found: Sequence[Series]) -> Mapping[datetime, set[float]]:
    """Every value that was recorded for a moment: two replicas of kube-state-metrics may disagree."""
    values: dict[datetime, set[float]] = {}
    for each in found:
        for moment, value in each.samples:
            values.setdefault(moment, set()).add(value)
    return values


def _all_ready(ready: set[float] | None, wanted_of_it: set[float] | None, wanted: set[float] | None) -> bool:
    """One number, the same in all three, and more than nothing; a moment at which one is missing proves nothing."""
    return ready is not None and ready == wanted_of_it == wanted and len(ready) == 1 and min(ready) > 0


def _covers(moments: Sequence[datetime], begin: datetime, end: datetime) -> bool:
    edges = [begin, *moments, end]
    return bool(moments) and all(after - before <= _LONGEST_GAP for before, after in pairwise(edges))
