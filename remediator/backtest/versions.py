"""Which version ran at a moment of a history, and which one a rollback would have gone to. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from remediator.actions.rollback import Rollback
from remediator.backtest.past import PastRollout
from remediator.domain.answers import Refusal
from remediator.domain.history import AlertSpan, Tenure
from remediator.workloads.last_known_good import Facts, choose, newest_first, newest_seen_good
from remediator.workloads.revision import Revision
from remediator.workloads.version import Version

UNSEEN_VERSIONS = Refusal(why="which earlier versions there were is not in the history", passing=True)


class GoingBack(NamedTuple):
    """From one version to another."""

    from_revision: str
    to_revision: str
    to_title: str
    by_age: bool
    """Only the age of its ReplicaSet speaks for it: then a person is asked."""


def current(rollouts: Sequence[PastRollout], now: datetime) -> PastRollout | None:
    """The version that was the current one; None when that is not known."""
    begun = [each for each in rollouts if each.began_at <= now]
    if not begun or (begun[-1].ended_at is not None and begun[-1].ended_at <= now):
        return None
    if any(begins < now < ends for begins, ends in begun[-1].unseen):
        return None
    return begun[-1]


class Versions:
    """The versions of one workload, each described once."""

    def __init__(self, rollouts: Sequence[PastRollout]) -> None:
        """`rollouts` are in the order in which they began."""
        self._rollouts = rollouts
        self._known: dict[tuple[str, int, int], _Known] = {}

    def going_back(
        self, rollback: Rollback, spans: Sequence[AlertSpan], since: datetime, now: datetime
    ) -> GoingBack | Refusal:
        """Where the rollback would have gone; a refusal is passing when the history does not tell.

        It chooses as the daemon does (`last_known_good.choose`), from what had been seen by `now`. Versions from before
        the history are not known: "none is good" is believed once they would have been too old.
        """
        left = current(self._rollouts, now)
        if left is None:
            return UNSEEN_VERSIONS
        begun = [each for each in self._rollouts if each.began_at <= now and each.uid == left.uid]
        known = self._known_of(begun, left, now)
        facts = replace(known.facts, alert_spans=spans, now=now)
        seen = newest_seen_good(known.earlier, facts, rollback.soak, rollback.max_age)
        if seen is not None:
            return _to(seen.hash, left, begun, by_age=False)
        choice = choose(facts, rollback.soak, rollback.max_age)
        if choice.chosen is not None:
            return _to(choice.chosen.hash, left, begun, by_age=True)
        if not _knows_all_since(begun, since, now - rollback.max_age):
            return UNSEEN_VERSIONS
        return Refusal(why=choice.why)

    def _known_of(self, begun: Sequence[PastRollout], left: PastRollout, now: datetime) -> "_Known":
        ended = [each.ended_at is not None and each.ended_at <= now for each in begun]
        key = (left.uid, len(begun), sum(ended))
        known = self._known.get(key)
        if known is None:
            facts = Facts(
                current_revision=left.revision,
                revisions=tuple(_revisions(begun)),
                tenures=tuple(
                    _tenure(each, over)
                    for each, over in zip(begun, ended, strict=True)
                    if each.available_seconds is not None
                ),
                now=now,
            )
            known = self._known[key] = _Known(facts, newest_first(facts))
        return known


class _Known(NamedTuple):
    """What stays the same until another version begins or one ends."""

    facts: Facts
    """Without alerts, as of some moment."""
    earlier: Sequence[Version]


def _to(revision: str, left: PastRollout, begun: Sequence[PastRollout], *, by_age: bool) -> GoingBack:
    title = next(each.title for each in reversed(begun) if each.revision == revision)
    return GoingBack(left.revision, revision, title or revision, by_age)


def _knows_all_since(begun: Sequence[PastRollout], since: datetime, limit: datetime) -> bool:
    """Whether no version may have been the current one after `limit` without standing in the history."""
    return begun[0].began_at <= max(since, limit) and since <= limit


def _tenure(rollout: PastRollout, over: bool) -> Tenure:
    ended = rollout.ended_at if over else None
    return Tenure(
        uid="",
        revision=rollout.revision,
        template={},
        began_at=rollout.began_at,
        began_seen=rollout.began_seen,
        ended_at=ended,
        longest_available_seconds=rollout.available_seconds or 0.0,
        # Until when the current version was seen asks nobody.
        last_seen_at=ended or rollout.began_at,
    )


def _revisions(begun: Sequence[PastRollout]) -> Iterator[Revision]:
    """One for each version, numbered as Kubernetes would have: each time it is taken up gives a new number."""
    for version in dict.fromkeys(each.revision for each in begun):
        numbers = [number for number, each in enumerate(begun, 1) if each.revision == version]
        first = begun[numbers[0] - 1]
        yield Revision(
            number=numbers[-1],
            earlier_numbers=tuple(numbers[:-1]),
            name=version,
            uid=version,
            template={"spec": {"containers": [{"image": first.title}] if first.title else []}},
            hash=version,
            exact=version,
            images=(first.title,) if first.title else (),
            created_at=first.began_at,
            born_numbered=first.began_seen,
        )
