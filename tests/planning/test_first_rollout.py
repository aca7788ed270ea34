"""Of a storm's targets the one that was rolled out before all others fired is looked at first, if it is one."""

from datetime import timedelta

import pytest

from remediator.planning.first_rollout import first_rolled_out
from remediator.store.storms import Affected
from tests.support.clock import START


def fired(name: str, minutes: float, *, rolled_out: float | None = -1000) -> Affected:
    """Both in minutes after the beginning."""
    at = START + timedelta(minutes=rolled_out) if rolled_out is not None else None
    return Affected(
        target=name, alertname="Slow", fired_at=START + timedelta(minutes=minutes), rolled_out_at=at
    )


A, B, C = fired("a", 0, rolled_out=-3), fired("b", 0.5), fired("c", 1)


@pytest.mark.parametrize(
    ("affected", "first"),
    [
        ([A, B, C], "a"),
        ([fired("b", 0), fired("a", 2, rolled_out=-3)], "a"),
        ([B, C], None),
        ([A, fired("b", 0, rolled_out=-5), C], None),
        ([A, fired("b", 0, rolled_out=5), C], None),
        ([fired("a", 2, rolled_out=1), B], None),
        ([fired("a", 0.5, rolled_out=0.5), B], None),
        ([fired("a", 0, rolled_out=-31), B], None),
        ([A, fired("b", 0, rolled_out=None)], None),
        ([A], None),
        ([], None),
    ],
)
def test_it_is_the_only_one_that_was_rolled_out_shortly_before_the_first_alert(
    affected: list[Affected], first: str | None
) -> None:
    found = first_rolled_out(affected)
    assert (found.target if found is not None else None) == first


@pytest.mark.parametrize(
    ("others_after", "rolled_out", "first"),
    [(1, ["a"], "a"), (1, [], "a"), (1, ["a", "x"], None), (-4, ["a"], None)],
)
def test_what_was_not_looked_up_may_be_whatever_was_rolled_out(
    others_after: float, rolled_out: list[str], first: str | None
) -> None:
    found = first_rolled_out([A, B], START + timedelta(minutes=others_after), rolled_out)
    assert (found.target if found is not None else None) == first
