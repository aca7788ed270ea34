"""Which earlier version a rollback should go to: the newest good one, never simply the previous."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from remediator.domain.duration import format_duration
from remediator.domain.history import AlertSpan, Tenure
from remediator.domain.value import Value
from remediator.workloads.revision import Revision, every_image
from remediator.workloads.version import Version, versions_of

Source = Literal["memory", "kube_state_metrics", "replica_set"]
"""What shows that a version ran well. The first two saw it available; the last tells only its age."""
SEEN: tuple[Source, ...] = ("memory", "kube_state_metrics")

MAX_AGE = timedelta(days=14)
"""A version that was last the current one longer ago is not gone back to."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about one workload when a version is to be chosen."""

    current_revision: str
    """revision_hash of the template the workload has now."""
    revisions: Sequence[Revision]
    tenures: Sequence[Tenure] = ()
    """All remembered ones of this workload."""
    alert_spans: Sequence[AlertSpan] = ()
    """All episodes of the alert in question on this workload."""
    missing_config: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By revision hash: ConfigMaps the version refers to that no longer exist."""
    config_doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By revision hash: what could not be observed of the configuration it would run with, a clause each."""
    measured: Mapping[str, str] = field(default_factory=dict)
    """By revision hash: the sentence about a version that kube-state-metrics saw fully available long enough."""
    unpullable: frozenset[str] = frozenset()
    """Images that a pod of the namespace waits for in vain right now."""
    rolled_back_from: str | None = None
    """The annotation remediator.io/rolled-back-from of the workload: a revision hash."""
    now: datetime


class Candidate(Value):
    """One earlier version and what speaks for or against it. A row of the table people are shown."""

    title: str
    number: int | None
    """None when Kubernetes no longer has a ReplicaSet of it."""
    hash: str
    good: bool
    reasons: tuple[str, ...]
    """Sentences: why not, or why good."""
    available_seconds: float
    """The longest unbroken time our memory saw it fully available, in seconds."""
    source: Source | None
    """What makes it good. None when it is not good."""
    last_current_at: datetime | None
    caveats: tuple[str, ...] = ()
    """What could not be observed of the configuration it would run with."""


class Choice(Value):
    """The version to go back to, or none, with the whole table either way."""

    chosen: Revision | None
    source: Source | None
    """`replica_set` is never good enough to act without asking a person."""
    table: tuple[Candidate, ...]
    """Newest first."""
    why: str


def choose(
    facts: Facts, soak: timedelta, max_age: timedelta = MAX_AGE, *, strict_config: bool = False
) -> Choice:
    """Choose the newest good version among those older than the current one.

    Good: seen fully available for `soak` without a break, no such alert began in its time, nobody went back
    past it since, its ConfigMaps exist, no pod waits for its image in vain, and it was the current one within
    `max_age`. Only when no version is good by what was seen does the age of ReplicaSets stand in for it. With
    `strict_config` a version of whose configuration something could not be observed is not good.
    """
    judged = [(_judge(each, facts, soak, max_age, strict_config), each) for each in newest_first(facts)]
    table = tuple(candidate for candidate, _ in judged)
    for sources in (SEEN, ("replica_set",)):
        for candidate, version in judged:
            if candidate.good and candidate.source in sources:
                why = f"Of the good earlier versions {candidate.title} is the newest. {candidate.reasons[0]}"
                return Choice(chosen=version.newest, source=candidate.source, table=table, why=why)
    return Choice(chosen=None, source=None, table=table, why=_why_none(table))


def newest_seen_good(
    earlier: Sequence[Version], facts: Facts, soak: timedelta, max_age: timedelta = MAX_AGE
) -> Version | None:
    """What `choose` chooses of `newest_first(facts)` where one was seen to be good; judges none that is older."""
    for version in earlier:
        candidate = _judge(version, facts, soak, max_age, strict_config=False)
        if candidate.good and candidate.source in SEEN:
            return version
    return None


def not_seen_for_long(facts: Facts, soak: timedelta) -> tuple[Version, ...]:
    """Earlier versions our memory has not seen for long enough to say anything, and that Kubernetes still has.

    Of a version it saw for longer than `soak` it knows better than any other source.
    """
    return tuple(
        each
        for each in versions_of(facts.revisions, facts.tenures)
        if each.hash != facts.current_revision and each.newest is not None and each.remembered < soak
    )


def _judge(
    version: Version, facts: Facts, soak: timedelta, max_age: timedelta, strict_config: bool
) -> Candidate:
    doubts = tuple(facts.config_doubts.get(version.hash, ()))
    against = tuple(_against(version, facts, max_age))
    if strict_config:
        against += tuple(f"Not observed, which strict_config does not allow: {each}." for each in doubts)
    source, reason = _soaked(version, soak, facts.measured.get(version.hash))
    good = not against and source is not None
    return Candidate(
        title=version.title,
        number=version.newest.number if version.newest is not None else None,
        hash=version.hash,
        good=good,
        reasons=(reason,) if good else (*against, *(() if source is not None else (reason,))),
        available_seconds=version.available.total_seconds(),
        source=source if good else None,
        last_current_at=version.last_current_at,
        caveats=doubts,
    )


def _soaked(version: Version, soak: timedelta, measured: str | None) -> tuple[Source | None, str]:
    """What shows that it ran well long enough, or None; with the sentence about it."""
    available, needed = _shown(version.available), f"the soak time of {_shown(soak)}"
    if version.came_back:
        available += " since it was taken up again"
    if version.available >= soak and version.available > timedelta(0):
        return "memory", f"It was seen fully available for {available}."
    aged = _shown(version.current_by_age)
    if not version.tenures:
        seen = "It was never seen by our memory"
    else:
        seen = f"It was seen fully available for {available}, less than {needed}"
    if version.remembered >= soak and version.available == timedelta(0):
        return None, f"It was remembered for {_shown(version.remembered)} and never seen fully available."
    if measured is not None and version.remembered < soak:
        return "kube_state_metrics", f"{seen}; {measured}"
    if version.current_by_age >= soak and version.stretches:
        return "replica_set", f"{seen}; by the age of ReplicaSets it was the current one for {aged}."
    return None, f"{seen}; the age of its ReplicaSets does not show {_shown(soak)} as the current one either."


def _against(version: Version, facts: Facts, max_age: timedelta) -> Iterator[str]:
    """Every reason not to go back to this version, whatever its availability."""
    if version.newest is None:
        yield "Kubernetes has deleted its ReplicaSet (revisionHistoryLimit)."
    elif version.newest.number >= _current_number(facts):
        yield "It is not older than the current revision."
    if (left := _left(version, facts)) is not None:
        yield left
    if alerts := version.alerts(facts.alert_spans):
        last = max(alerts, key=lambda each: each.starts_at)
        yield f"{last.alertname} began in its time, last at {last.starts_at.isoformat(timespec='seconds')}."
    yield from _cannot_start(version, facts)
    if version.last_current_at is None:
        yield "When it was last the current one is not known."
    elif (age := facts.now - version.last_current_at) > max_age:
        yield f"It was last the current one {_shown(age)} ago, more than {_shown(max_age)}."


def _cannot_start(version: Version, facts: Facts) -> Iterator[str]:
    """What its pods would wait for in vain."""
    if missing := sorted(facts.missing_config.get(version.hash, ())):
        yield f"It needs ConfigMaps that no longer exist: {', '.join(missing)}."
    needed = every_image(version.newest.template) if version.newest is not None else frozenset()
    if gone := sorted(facts.unpullable & needed):
        yield f"A pod of this namespace cannot pull its image now: {', '.join(gone)}."


def _left(version: Version, facts: Facts) -> str | None:
    """Whether it was left for an older version, and was not seen to come back since."""
    if any(each.rolled_away for each in version.revisions):
        return "It was rolled back from: Kubernetes' revision numbers show an older version after it."
    if version.came_back:
        return None
    if version.left_at is not None:
        return f"It was rolled back from at {version.left_at.isoformat(timespec='seconds')}."
    if version.hash == facts.rolled_back_from:
        return "This daemon rolled back from it."
    if any(each.taken_up_again for each in version.revisions):
        return "It was rolled back from and taken up again, and our memory did not see either."
    return None


def _current_number(facts: Facts) -> float:
    """The newest number of the current version; above all others while it has no ReplicaSet yet."""
    numbers = [each.number for each in facts.revisions if each.hash == facts.current_revision]
    return max(numbers, default=float("inf"))


def newest_first(facts: Facts) -> list[Version]:
    """All versions but the current one. The same at every moment at which the same tenures have ended."""
    earlier = [
        each for each in versions_of(facts.revisions, facts.tenures) if each.hash != facts.current_revision
    ]
    return sorted(earlier, key=_newness, reverse=True)


def _newness(version: Version) -> tuple[int, float, str]:
    """By revision number, which grows each time a version becomes the current one."""
    at = version.last_current_at
    number = version.newest.number if version.newest is not None else 0
    return (number, at.timestamp() if at is not None else 0.0, version.hash)


def _why_none(table: Sequence[Candidate]) -> str:
    if not table:
        return "There is no earlier version to go back to."
    why_not = " ".join(table[0].reasons)
    return f"No earlier version of {len(table)} is good. The newest is {table[0].title}. {why_not}"


def _shown(duration: timedelta) -> str:
    """In whole seconds, rounded down."""
    return format_duration(timedelta(seconds=int(duration.total_seconds())))
