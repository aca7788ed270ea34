"""Which number of replicas is taken for the one a workload is meant to have."""

from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.history import ReplicaCount
from remediator.workloads.recorded_replicas import last_set, recorded_replicas

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def wanted(replicas: int, since: timedelta, until: timedelta, uid: str = "u1") -> ReplicaCount:
    """So many, from so long ago until so long ago."""
    return ReplicaCount(uid=uid, replicas=replicas, began_at=NOW - since, last_seen_at=NOW - until)


BEFORE = wanted(3, 2 * DAY, HOUR)


@pytest.mark.parametrize(
    ("counts", "recorded"),
    {
        "nothing was seen": ([], None),
        "what lasted is what was meant": ([BEFORE], 3),
        "not what somebody set a moment ago": ([BEFORE, wanted(1, HOUR / 2, 0 * HOUR)], 3),
        "but what has lasted since": ([BEFORE, wanted(1, HOUR, 0 * HOUR)], 1),
        "zero never, however long": ([BEFORE, wanted(0, HOUR, 0 * HOUR)], 3),
        "of several that lasted, the newest": ([wanted(5, 4 * DAY, 2 * DAY), BEFORE], 3),
        "not of another object of that name": ([wanted(3, 2 * DAY, HOUR, uid="u0")], None),
        "nor what is too long ago": ([wanted(3, 20 * DAY, 15 * DAY)], None),
        "nor a step of an autoscaler": (
            [wanted(n, (9 - n) * HOUR / 4, (8 - n) * HOUR / 4) for n in range(2, 8)],
            None,
        ),
    }.values(),
)
def test_the_newest_number_that_lasted(counts: list[ReplicaCount], recorded: int | None) -> None:
    found = recorded_replicas(counts, "u1", NOW, steady=HOUR, max_age=14 * DAY)
    assert (found.replicas if found is not None else None) == recorded


@pytest.mark.parametrize(
    ("counts", "hours", "before"),
    {
        "the only one": ([BEFORE], 48, None),
        "another was wanted before": ([BEFORE, wanted(1, HOUR / 2, 0 * HOUR)], 0.5, 3),
        "nobody looked for a while": ([wanted(3, DAY, HOUR), wanted(3, HOUR / 2, 0 * HOUR)], 24, None),
        "and another was wanted before that": (
            [wanted(5, 2 * DAY, DAY), wanted(3, DAY, HOUR), wanted(3, HOUR / 2, 0 * HOUR)],
            24,
            5,
        ),
        "not of another object of that name": ([wanted(5, 2 * DAY, DAY, uid="u0"), BEFORE], 48, None),
    }.values(),
)
def test_a_time_in_which_nobody_looked_is_no_scaling(
    counts: list[ReplicaCount], hours: float, before: int | None
) -> None:
    found = last_set(counts, "u1")
    assert found is not None
    assert ((NOW - found.began_at) / HOUR, found.before) == (hours, before)
