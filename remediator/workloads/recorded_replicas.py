"""How many replicas a workload is recorded to have had, where it wants fewer now. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

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
