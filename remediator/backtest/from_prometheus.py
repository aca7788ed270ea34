"""The history that a Prometheus holds: ALERTS, and through kube-state-metrics which ReplicaSets ran when.

Times are as exact as a step, a minute. What was rolled out is known of Deployments only: of the other kinds
kube-state-metrics exports nothing that would tell their versions apart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from remediator.backtest.past import Past, PastAlert, PastRollout
from remediator.clients.http import HttpClient
from remediator.clients.prometheus import PrometheusClient, Series
from remediator.errors import RemediatorError
from remediator.redaction.document import redact_json

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


_Moments = dict[datetime, float]


class _Stretches:
    """Times without a longer gap, made of moments that rise."""

    def __init__(self, longest_gap: timedelta = STEP) -> None:
        self._longest_gap = longest_gap
        self.found: list[tuple[datetime, datetime]] = []
        """First and last moment of each."""

    def add(self, moments: Iterable[datetime]) -> None:
        """In the order of time, and after all before."""
        for at in moments:
            if self.found and at - self.found[-1][1] <= self._longest_gap:
                self.found[-1] = (self.found[-1][0], at)
            else:
                self.found.append((at, at))


def _with_gaps() -> _Stretches:
    """kube-state-metrics starts anew now and then, and is not there for some minutes."""
    return _Stretches(5 * STEP)


@dataclass
class _Seen:
    """What has been read so far. Of every chunk only stretches are kept: a month of samples fits into no memory."""

    firing: dict[_Labels, _Stretches] = field(default_factory=lambda: defaultdict(_Stretches))
    wanted: dict[_Set, _Stretches] = field(default_factory=lambda: defaultdict(_with_gaps))
    well: dict[_Set, _Stretches] = field(default_factory=lambda: defaultdict(_Stretches))
    """When it had every pod that was wanted of it, ready, while none was wanted of another version."""
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
        _rollouts(seen, since),
    )


async def _read(prometheus: PrometheusClient, seen: _Seen, begin: datetime, end: datetime) -> None:
    """One chunk."""
    firing: dict[_Labels, set[datetime]] = defaultdict(set)
    for series in await prometheus.ranged(FIRING, begin, end, STEP):
        labels = tuple(sorted((k, v) for k, v in series.labels.items() if k not in _NOT_THE_ALERTS))
        firing[labels].update(at for at, _ in series.samples)
    for labels, moments in firing.items():
        seen.firing[labels].add(sorted(moments))
    for series in await prometheus.ranged(OWNER, begin, end, 5 * STEP):
        seen.owner[_set(series)] = series.labels.get("owner_name", "")
    wanted = {_set(each): dict(each.samples) for each in await prometheus.ranged(WANTED, begin, end, STEP)}
    ready = {_set(each): dict(each.samples) for each in await prometheus.ranged(READY, begin, end, STEP)}
    _fold(seen, wanted, ready)
    if any(dict(labels).get("pod") for labels in firing):
        for series in await prometheus.ranged(POD_OWNER, begin, end, 5 * STEP):
            named = series.labels
            pod = (named.get("namespace", ""), named.get("pod", ""))
            seen.pods[pod] = (named.get("owner_kind", ""), named.get("owner_name", ""))


def _fold(seen: _Seen, wanted: Mapping[_Set, _Moments], ready: Mapping[_Set, _Moments]) -> None:
    together: dict[tuple[str, str], Counter[datetime]] = defaultdict(Counter)
    for each, moments in wanted.items():
        seen.wanted[each].add(moments)
        together[each[0], seen.owner.get(each, "")].update(moments.keys())
    for each, moments in wanted.items():
        of_all, of_it = together[each[0], seen.owner.get(each, "")], ready.get(each, {})
        seen.well[each].add(
            at for at, number in moments.items() if of_it.get(at) == number and of_all[at] == 1
        )


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
    for labels, stretches in seen.firing.items():
        # It may be written to a file that is committed: secrets stay where they are.
        named = redact_json(dict(labels))
        for began, ended in stretches.found:
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


def _rollouts(seen: _Seen, since: datetime) -> list[PastRollout]:
    """Each time that a ReplicaSet was the newest of its Deployment that was wanted."""
    sets: dict[_Set, list[_Set]] = defaultdict(list)
    for each in seen.wanted:
        if seen.owner.get(each):
            sets[each[0], seen.owner[each]].append(each)
    found: list[PastRollout] = []
    for (namespace, deployment), of_it in sorted(sets.items()):
        begun = sorted((began, each) for each in of_it for began, _ in seen.wanted[each].found)
        for index, (began, each) in enumerate(begun):
            ended = begun[index + 1][0] if index + 1 < len(begun) else None
            found.append(
                PastRollout(
                    target=f"deployment/{namespace}/{deployment}",
                    began_at=began,
                    revision=each[1],
                    title=each[1],
                    began_seen=began > since,
                    ended_at=ended,
                    available_seconds=_longest(seen.well[each], began, ended),
                )
            )
    return found


def _longest(well: _Stretches, began: datetime, ended: datetime | None) -> float:
    """In seconds, of the stretches that began within this time."""
    lasted = [
        last - first for first, last in well.found if began <= first and (ended is None or first < ended)
    ]
    return max(lasted, default=timedelta(0)).total_seconds()
