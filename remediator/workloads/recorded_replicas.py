"""How many replicas a workload is recorded to have had, where it wants fewer now. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from remediator.domain.history import ReplicaCount
from remediator.domain.value import Value


class Recorded(Value):
    """The number that lasted, and when it was wanted."""

    replicas: int
    began_at: datetime
    ended_at: datetime
    """When it was last seen."""


def recorded_replicas(
    counts: Iterable[ReplicaCount], uid: str, now: datetime, steady: timedelta, max_age: timedelta
) -> Recorded | None:
    """The newest number of replicas that this object was seen to want for as long as `steady`; None when there is none.

    None of them counts that was last seen longer than `max_age` ago, and zero never does: a workload that is
    switched off for a night is not one that wants no pods.
    """
    lasted = [
        each
        for each in counts
        if each.uid == uid
        and each.replicas > 0
        and each.last_seen_at - each.began_at >= steady
        and now - each.last_seen_at <= max_age
    ]
    if not lasted:
        return None
    newest = max(lasted, key=lambda each: each.began_at)
    return Recorded(replicas=newest.replicas, began_at=newest.began_at, ended_at=newest.last_seen_at)


class LastSet(Value):
    """The number that an object was last seen to want."""

    replicas: int
    began_at: datetime
    before: int | None
    """What it wanted until then; None where no other number was seen."""


def last_set(counts: Sequence[ReplicaCount], uid: str) -> LastSet | None:
    """The newest number of this object, since it was last seen to want another; None when none was seen.

    A time in which nobody looked parts a number from itself, and is no scaling of anybody's.
    """
    of_it = [each for each in counts if each.uid == uid]
    if not of_it:
        return None
    replicas = of_it[-1].replicas
    same = list(takewhile(lambda each: each.replicas == replicas, reversed(of_it)))
    others = of_it[: -len(same)]
    before = others[-1].replicas if others else None
    return LastSet(replicas=replicas, began_at=same[-1].began_at, before=before)
