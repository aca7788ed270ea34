"""Everything known of one version of a workload: its ReplicaSets, and its time as the current one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite

from remediator.domain.history import AlertSpan, Tenure
from remediator.domain.value import Value
from remediator.workloads.revision import Revision, image_names, title
from remediator.workloads.revisions import Stretch, stretches


class Version(Value):
    """All revisions and remembered tenures of one revision hash."""

    hash: str
    revisions: tuple[Revision, ...]
    """Newest first. Empty when Kubernetes has deleted them all and only our memory knows the version."""
    tenures: tuple[Tenure, ...]
    """Oldest first."""
    stretches: tuple[Stretch, ...]
    """Times as the current one by the creation of ReplicaSets, oldest first."""
    left_at: datetime | None = None
    """When, as our memory saw it, an older version was last taken up after this one."""

    @property
    def newest(self) -> Revision | None:
        """The revision to go back to for this version."""
        return self.revisions[0] if self.revisions else None

    @property
    def title(self) -> str:
        if self.newest is not None:
            return title(self.newest)
        return image_names(self.tenures[-1].template) or self.hash

    @property
    def came_back(self) -> bool:
        """Whether our memory saw people leave it for an older version, and take it up again."""
        return bool(self._tenures_since_left)

    @property
    def last_current_at(self) -> datetime | None:
        """When it was last seen as the current one; None when nobody can tell."""
        ends = [_end(each) for each in self.tenures] + [each.ended_at for each in self.stretches]
        return max(ends, default=None)

    @property
    def available(self) -> timedelta:
        """The longest unbroken time our memory saw it fully available; since it came back, if it did."""
        telling = self._tenures_since_left or self.tenures
        return timedelta(seconds=max((_seconds(each) for each in telling), default=0.0))

    @property
    def current_by_age(self) -> timedelta:
        """The longest time it was the current one by the creation of ReplicaSets, whatever its health."""
        return max((each.ended_at - each.began_at for each in self.stretches), default=timedelta(0))

    @property
    def remembered(self) -> timedelta:
        """The longest time our memory knew it as the current one, healthy or not."""
        return max((each.last_seen_at - each.began_at for each in self.tenures), default=timedelta(0))

    def alerts(self, spans: Sequence[AlertSpan]) -> tuple[AlertSpan, ...]:
        """The alerts that began while it was the current one.

        An alert that began before is what an earlier version left: windowed alerts fire on long after a good
        rollback. Only where we did not see the beginning, an alert open at our first look counts as well.
        """
        return tuple(span for span in spans if self._began_within(span) or self._open_at_first_look(span))

    @property
    def _tenures_since_left(self) -> tuple[Tenure, ...]:
        return tuple(
            each for each in self.tenures if self.left_at is not None and each.began_at > self.left_at
        )

    def _began_within(self, span: AlertSpan) -> bool:
        times = [(each.began_at, _end(each)) for each in self.tenures]
        times += [(each.began_at, each.ended_at) for each in self.stretches]
        return any(began <= span.starts_at < ended for began, ended in times)

    def _open_at_first_look(self, span: AlertSpan) -> bool:
        return any(
            span.starts_at < each.began_at and (span.closed_at is None or span.closed_at > each.began_at)
            for each in self.tenures
            if not each.began_seen
        )


def versions_of(revisions: Sequence[Revision], tenures: Sequence[Tenure]) -> tuple[Version, ...]:
    """Every version that has a ReplicaSet or is remembered, in the order of their hashes."""
    first_known = _first_known(revisions, tenures)
    by_age = stretches(revisions)
    return tuple(
        Version(
            hash=version,
            revisions=tuple(
                sorted(
                    (each for each in revisions if each.hash == version),
                    key=lambda each: (each.number, each.created_at, each.uid),
                    reverse=True,
                )
            ),
            tenures=tuple(
                sorted((each for each in tenures if each.revision == version), key=lambda each: each.began_at)
            ),
            stretches=tuple(each for each in by_age if each.hash == version),
            left_at=_left_at(version, first_known, tenures),
        )
        for version in sorted(first_known)
    )


def _first_known(revisions: Sequence[Revision], tenures: Sequence[Tenure]) -> dict[str, datetime]:
    """When each version first appeared, as far as its oldest ReplicaSet or our memory tells."""
    known = [(each.created_at, each.hash) for each in revisions]
    known += [(each.began_at, each.revision) for each in tenures]
    first: dict[str, datetime] = {}
    for moment, version in sorted(known):
        first.setdefault(version, moment)
    return first


def _left_at(version: str, first_known: dict[str, datetime], tenures: Sequence[Tenure]) -> datetime | None:
    """An older version that is current after this one proves that people went back past it.

    Taking a left version up once more (a release tried again) proves nothing against the older one.
    """
    born = first_known[version]
    returns = [
        each.began_at
        for each in tenures
        if each.revision != version and first_known[each.revision] <= born < each.began_at
    ]
    return max(returns, default=None)


def _end(tenure: Tenure) -> datetime:
    """Until when it was certainly the current one: time we did not see is nobody's."""
    return tenure.ended_at if tenure.ended_at is not None else tenure.last_seen_at


def _seconds(tenure: Tenure) -> float:
    seconds = tenure.longest_available_seconds
    return seconds if isfinite(seconds) and seconds > 0 else 0.0
