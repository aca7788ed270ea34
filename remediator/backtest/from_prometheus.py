"""The history that a Prometheus holds: ALERTS, and through kube-state-metrics which ReplicaSets ran when.

Times are as exact as a step, a minute. What was rolled out is known of Deployments only: of the other kinds
kube-state-metrics exports nothing that would tell their versions apart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
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
SCRAPED = "count(up)"
WANTED = "max by (namespace, replicaset) (kube_replicaset_spec_replicas) > 0"
READY = "max by (namespace, replicaset) (kube_replicaset_status_ready_replicas) > 0"
OWNER = 'max by (namespace, replicaset, owner_name) (kube_replicaset_owner{owner_kind="Deployment"})'
POD_OWNER = "max by (namespace, pod, owner_kind, owner_name) (kube_pod_owner)"

NOTES = (
    "labels that external_labels and alert_relabel_configs add are missing: a rule that asks for one never matches",
    "a restart makes a new ReplicaSet, and looks like a version; of other kinds than Deployments no version is known",
    "an alerting rule's `for` is today's, and one for each alertname",
)
"""What nobody can read from a Prometheus."""
_NOT_THE_ALERTS = frozenset({"__name__", "alertstate", "prometheus", "prometheus_replica", "replica"})
_Labels = tuple[tuple[str, str], ...]
_Set = tuple[str, str]
"""Namespace and name of a ReplicaSet."""


_Moments = dict[datetime, float]
_LONGEST_GAP = 5 * STEP
"""Prometheus and kube-state-metrics start anew now and then, and are not there for some minutes.

Longer than this Alertmanager does not keep an alert open of which it hears nothing either."""


class _Stretches:
    """Times without a longer gap, made of moments that rise."""

    def __init__(self, longest_gap: timedelta = STEP) -> None:
        self._longest_gap = longest_gap
        self.found: list[tuple[datetime, datetime]] = []
        """First and last moment of each."""

    def add(self, moments: Iterable[datetime], unseen: Set[datetime] = frozenset()) -> None:
        """In the order of time, and after all before. What was `unseen` by everybody makes no short gap."""
        for at in moments:
            if self.found and self._goes_on(self.found[-1][1], at, unseen):
                self.found[-1] = (self.found[-1][0], at)
            else:
                self.found.append((at, at))

    def _goes_on(self, last: datetime, at: datetime, unseen: Set[datetime]) -> bool:
        if at - last <= self._longest_gap:
            return True
        between = range(1, (at - last) // STEP)
        return at - last <= _LONGEST_GAP and all(last + step * STEP in unseen for step in between)


def _with_gaps() -> _Stretches:
    return _Stretches(_LONGEST_GAP)


@dataclass
class _Seen:
    """What has been read so far. Of every chunk only stretches are kept: a month of samples fits into no memory."""

    unseen: set[datetime] = field(default_factory=set)
    """Steps at which this Prometheus scraped nothing at all."""
    exported: _Stretches = field(default_factory=_with_gaps)
    """When kube-state-metrics told of any ReplicaSet."""
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
        _rollouts(seen),
        notes=NOTES,
    )


async def _read(prometheus: PrometheusClient, seen: _Seen, begin: datetime, end: datetime) -> None:
    """One chunk."""
    scraped = {
        at for series in await prometheus.ranged(SCRAPED, begin, end, STEP) for at, _ in series.samples
    }
    if scraped:
        steps = range((end - begin) // STEP + 1)
        seen.unseen.update({begin + step * STEP for step in steps} - scraped)
    firing: dict[_Labels, set[datetime]] = defaultdict(set)
    for series in await prometheus.ranged(FIRING, begin, end, STEP):
        labels = tuple(sorted((k, v) for k, v in series.labels.items() if k not in _NOT_THE_ALERTS))
        firing[labels].update(at for at, _ in series.samples)
    for labels, moments in firing.items():
        seen.firing[labels].add(sorted(moments), seen.unseen)
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
    seen.exported.add(sorted({at for moments in wanted.values() for at in moments}))
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


def _rollouts(seen: _Seen) -> list[PastRollout]:
    """Each time that a ReplicaSet was the newest of its Deployment that was wanted."""
    sets: dict[_Set, list[_Set]] = defaultdict(list)
    for each in seen.wanted:
        if seen.owner.get(each):
            sets[each[0], seen.owner[each]].append(each)
    found: list[PastRollout] = []
    for (namespace, deployment), of_it in sorted(sets.items()):
        taken = _taken_up({each: seen.wanted[each].found for each in of_it})
        for index, (began, each) in enumerate(taken):
            ended = taken[index + 1][0] if index + 1 < len(taken) else None
            found.append(
                PastRollout(
                    target=f"deployment/{namespace}/{deployment}",
                    began_at=began,
                    revision=each[1],
                    title=each[1],
                    # What is there when kube-state-metrics is first seen (again) began at some time before.
                    began_seen=all(began != first for first, _ in seen.exported.found),
                    ended_at=ended,
                    available_seconds=_longest(seen.well[each], began, ended),
                )
            )
    return found


def _taken_up(wanted: Mapping[_Set, Sequence[tuple[datetime, datetime]]]) -> list[tuple[datetime, _Set]]:
    """When each became the current one of a Deployment.

    One that is given up while an older one is still wanted was rolled back. Where none is wanted (scaled to zero)
    the last one stays the current one.
    """
    stretches = [(began, last, each) for each, found in wanted.items() for began, last in found]
    moments = {began for began, _, _ in stretches} | {last + STEP for _, last, _ in stretches}
    taken: list[tuple[datetime, _Set]] = []
    for now in sorted(moments):
        current = taken[-1][1] if taken else None
        there = [(began, each == current, each) for began, last, each in stretches if began <= now <= last]
        if there and max(there)[2] != current:
            taken.append((now, max(there)[2]))
    return taken


def _longest(well: _Stretches, began: datetime, ended: datetime | None) -> float:
    """In seconds, of the stretches that began within this time."""
    lasted = [
        last - first for first, last in well.found if began <= first and (ended is None or first < ended)
    ]
    return max(lasted, default=timedelta(0)).total_seconds()
