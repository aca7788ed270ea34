"""The history that a Prometheus holds: ALERTS, and through kube-state-metrics which ReplicaSets ran when.

Times are as exact as a step, a minute. What was rolled out is known of Deployments only: of the other kinds
kube-state-metrics exports nothing that would tell their versions apart.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from remediator.backtest.past import Past, PastAlert, PastRollout
from remediator.clients.http import HttpClient
from remediator.clients.prometheus import PrometheusClient, Series
from remediator.errors import RemediatorError

STEP = timedelta(minutes=1)
_CHUNK = timedelta(hours=6)
"""Of one question: 360 steps, far from the 11,000 that Prometheus gives of one series."""
_LARGEST = 256 * 2**20
_DEADLINE = 120.0

FIRING = 'ALERTS{alertstate="firing"}'
WANTED = "max by (namespace, replicaset) (kube_replicaset_spec_replicas) > 0"
READY = "max by (namespace, replicaset) (kube_replicaset_status_ready_replicas) > 0"
OWNER = 'max by (namespace, replicaset, owner_name) (kube_replicaset_owner{owner_kind="Deployment"})'
POD_OWNER = "max by (namespace, pod, owner_kind, owner_name) (kube_pod_owner)"

_NOT_THE_ALERTS = frozenset({"__name__", "alertstate", "prometheus", "prometheus_replica", "replica"})
_Labels = tuple[tuple[str, str], ...]
_Set = tuple[str, str]
"""Namespace and name of a ReplicaSet."""


@dataclass
class _Seen:
    """What has been read so far; moments are of the grid of steps."""

    firing: dict[_Labels, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    wanted: dict[_Set, dict[datetime, float]] = field(default_factory=lambda: defaultdict(dict))
    ready: dict[_Set, dict[datetime, float]] = field(default_factory=lambda: defaultdict(dict))
    owner: dict[_Set, str] = field(default_factory=dict)
    pods: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Kind and name of a pod's owner, by its namespace and name."""


async def past_of_prometheus(
    url: str, now: datetime, days: int, progress: Callable[[int, int], None]
) -> Past:
    """The `days` before `now`, asked for in chunks. Raises as PrometheusClient does."""
    until = now.replace(second=0, microsecond=0)
    since = until - timedelta(days=days)
    async with HttpClient(largest_body=_LARGEST) as http:
        prometheus = PrometheusClient(http, url, {}, deadline=_DEADLINE)
        seen = _Seen()
        begin = since
        while begin < until:
            progress(int((begin - since) / timedelta(hours=1)), days * 24)
            end = min(begin + _CHUNK, until)
            await _read(prometheus, seen, begin, end - STEP)
            begin = end
        progress(days * 24, days * 24)
        alerts = _alerts(seen, since, until)
        holds = await _holds(prometheus, alerts)
    return Past.of(
        since,
        until,
        [each._replace(hold=holds.get(each.name)) for each in alerts],
        _rollouts(seen, since, until),
    )


async def _read(prometheus: PrometheusClient, seen: _Seen, begin: datetime, end: datetime) -> None:
    for series in await prometheus.ranged(FIRING, begin, end, STEP):
        labels = tuple(sorted((k, v) for k, v in series.labels.items() if k not in _NOT_THE_ALERTS))
        seen.firing[labels].update(at for at, _ in series.samples)
    for query, into in ((WANTED, seen.wanted), (READY, seen.ready)):
        for series in await prometheus.ranged(query, begin, end, STEP):
            into[_set(series)].update(series.samples)
    for series in await prometheus.ranged(OWNER, begin, end, 5 * STEP):
        seen.owner[_set(series)] = series.labels.get("owner_name", "")
    if any(dict(labels).get("pod") for labels in seen.firing):
        for series in await prometheus.ranged(POD_OWNER, begin, end, 5 * STEP):
            named = series.labels
            pod = (named.get("namespace", ""), named.get("pod", ""))
            seen.pods[pod] = (named.get("owner_kind", ""), named.get("owner_name", ""))


def _set(series: Series) -> _Set:
    return series.labels.get("namespace", ""), series.labels.get("replicaset", "")


async def _holds(prometheus: PrometheusClient, alerts: Iterable[PastAlert]) -> Mapping[str, timedelta]:
    """The `for` of the alerting rules there are now; what cannot be had stays unknown."""
    holds: dict[str, timedelta] = {}
    for name, labels in sorted({each.name: each.labels for each in alerts}.items()):
        try:
            hold = await prometheus.alert_hold(name, labels)
        except RemediatorError:
            return holds
        if hold is not None:
            holds[name] = hold
    return holds


def _alerts(seen: _Seen, since: datetime, until: datetime) -> list[PastAlert]:
    found = []
    for labels, moments in seen.firing.items():
        named = dict(labels)
        for began, ended in _stretches(sorted(moments)):
            # What fires at the first step began at some time before.
            starts_at = began - STEP if began == since else began
            ends_at = ended + STEP if ended + STEP < until else None
            found.append(PastAlert(named, starts_at, starts_at, ends_at, _target(named, seen), None))
    return found


def _target(labels: Mapping[str, str], seen: _Seen) -> str | None:
    """The workload that the alert's pod or ReplicaSet led to."""
    namespace = labels.get("exported_namespace", labels.get("namespace", ""))
    kind, name = "ReplicaSet", labels.get("exported_replicaset", labels.get("replicaset", ""))
    if not name:
        pod = labels.get("exported_pod", labels.get("pod", ""))
        kind, name = seen.pods.get((namespace, pod), ("", ""))
    if kind == "ReplicaSet":
        kind, name = "Deployment", seen.owner.get((namespace, name), "")
    if kind not in ("Deployment", "StatefulSet", "DaemonSet") or not name:
        return None
    return f"{kind.lower()}/{namespace}/{name}"


def _rollouts(seen: _Seen, since: datetime, until: datetime) -> list[PastRollout]:
    """Each time that a ReplicaSet was the newest of its Deployment that was wanted."""
    sets: dict[_Set, list[_Set]] = defaultdict(list)
    for each in seen.wanted:
        if seen.owner.get(each):
            sets[each[0], seen.owner[each]].append(each)
    found: list[PastRollout] = []
    for (namespace, deployment), of_it in sorted(sets.items()):
        begun = sorted(
            (began, each)
            for each in of_it
            for began, _ in _stretches(sorted(seen.wanted[each]), longest_gap=5 * STEP)
        )
        for index, (began, each) in enumerate(begun):
            ended = begun[index + 1][0] if index + 1 < len(begun) else None
            alone = _alone(seen, each, of_it, began, ended or until)
            found.append(
                PastRollout(
                    target=f"deployment/{namespace}/{deployment}",
                    began_at=began,
                    revision=each[1],
                    title=each[1],
                    began_seen=began > since,
                    ended_at=ended,
                    available_seconds=_longest(alone).total_seconds(),
                )
            )
    return found


def _alone(seen: _Seen, of: _Set, others: Sequence[_Set], began: datetime, ended: datetime) -> list[datetime]:
    """When it had every pod that was wanted of it, ready, while none was wanted of another version."""
    wanted, ready = seen.wanted[of], seen.ready.get(of, {})
    return sorted(
        at
        for at, number in wanted.items()
        if began <= at < ended
        and ready.get(at) == number
        and not any(at in seen.wanted[other] for other in others if other != of)
    )


def _longest(moments: Sequence[datetime]) -> timedelta:
    return max((ended - began for began, ended in _stretches(moments)), default=timedelta(0))


def _stretches(moments: Sequence[datetime], longest_gap: timedelta = STEP) -> list[tuple[datetime, datetime]]:
    """First and last moment of each run of moments without a longer gap."""
    found: list[tuple[datetime, datetime]] = []
    for at in moments:
        if found and at - found[-1][1] <= longest_gap:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found
