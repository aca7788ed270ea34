"""A history: what fired, what was rolled out and what people wrote, in one window of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple, TypeVar

_Each = TypeVar("_Each")


class PastAlert(NamedTuple):
    """One stretch in which an alert fired."""

    labels: Mapping[str, str]
    starts_at: datetime
    received_at: datetime
    """When the daemon heard of it; when it began, where no daemon was there to hear."""
    ends_at: datetime | None
    """None for one that still fired at the end of the window."""
    target: str | None
    """The workload that its labels were found to lead to, as `kind/namespace/name`; None when nobody looked."""
    hold: timedelta | None
    """The alerting rule's own `for`; None when it is not known."""

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


class PastRollout(NamedTuple):
    """One stretch in which one version was a workload's current one."""

    target: str
    began_at: datetime
    revision: str
    """Names the version; the same again when it is taken up again."""
    title: str
    """For people, such as `app:v41`; may be empty."""
    began_seen: bool
    """False when it was there at the first look: then it began at some time before."""
    ended_at: datetime | None
    available_seconds: float | None
    """The longest unbroken time it was seen fully available; None when nobody watched that."""
    uid: str = ""
    """Of the object: one deleted and made anew begins without earlier versions."""
    unseen: tuple[tuple[datetime, datetime], ...] = ()
    """Times within it in which nobody looked: which version was the current one is not known."""


class PastWrite(NamedTuple):
    """One change that a person made to a workload's spec besides rolling it out."""

    target: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Past:
    """All of it, each in the order of time."""

    since: datetime
    until: datetime
    alerts: Sequence[PastAlert]
    rollouts: Sequence[PastRollout] = ()
    writes: Sequence[PastWrite] = ()
    known_since: datetime | None = None
    """Where the history begins that the window is the end of; None where that is its own beginning."""
    notes: tuple[str, ...] = ()
    """What its source does not tell, in sentences for people; printed with every result."""

    @classmethod
    def of(
        cls,
        since: datetime,
        until: datetime,
        alerts: Sequence[PastAlert],
        rollouts: Sequence[PastRollout] = (),
        writes: Sequence[PastWrite] = (),
        known_since: datetime | None = None,
        notes: tuple[str, ...] = (),
    ) -> "Past":
        """The same history whatever order it was told in."""
        return cls(
            since,
            until,
            tuple(sorted(alerts, key=_alert_order)),
            tuple(sorted(rollouts, key=lambda each: (each.began_at, each.target, each.revision))),
            tuple(sorted(writes, key=lambda each: (each.at, each.target, each.by))),
            known_since,
            notes,
        )

    @cached_property
    def rollouts_of(self) -> Mapping[str, Sequence[PastRollout]]:
        """By target, the oldest first."""
        return _by_target((each.target, each) for each in self.rollouts)

    @cached_property
    def writes_of(self) -> Mapping[str, Sequence[PastWrite]]:
        """By target, the oldest first."""
        return _by_target((each.target, each) for each in self.writes)

    @cached_property
    def alerts_within(self) -> Sequence[PastAlert]:
        """Those of the window. Of versions from before it, earlier ones tell whether they were well."""
        return [each for each in self.alerts if each.ends_at is None or each.ends_at >= self.since]

    def last_days(self, days: int) -> "Past":
        """The same with a window that begins so many days before its end; what began earlier stays known."""
        since = max(self.since, self.until - timedelta(days=days))
        known_since = self.known_since or self.since
        return replace(self, since=since, known_since=known_since if known_since < since else None)


def _alert_order(alert: PastAlert) -> tuple[datetime, datetime, list[tuple[str, str]], timedelta]:
    lasted = alert.ends_at - alert.received_at if alert.ends_at is not None else timedelta.max
    return (alert.received_at, alert.starts_at, sorted(alert.labels.items()), lasted)


def _by_target(pairs: Iterable[tuple[str, _Each]]) -> Mapping[str, Sequence[_Each]]:
    found: dict[str, list[_Each]] = defaultdict(list)
    for target, each in pairs:
        found[target].append(each)
    return found
