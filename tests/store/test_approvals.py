"""Which request is the approval an intent may use. The API lets no wrong one come about; the intent looks anyway."""

from datetime import timedelta
from typing import Any

import pytest

from remediator.people.principal import Principal
from remediator.store.approvals import ApprovalAnswer, ApprovalRequest, Approved, Declined, against
from tests.support.clock import START

NOW = START + timedelta(minutes=5)


def said(who: str, *, yes: bool = True) -> ApprovalAnswer:
    return ApprovalAnswer(who=who, yes=yes, why="", at=START, principal=Principal(name=who, proof="token"))


def asked(*answers: ApprovalAnswer, **more: Any) -> ApprovalRequest:
    """A request of rung 0 for one yes until a quarter past."""
    usual: dict[str, Any] = {
        "id": 1,
        "run_id": 1,
        "rung": 0,
        "digest": "d",
        "level": "G1",
        "people": 1,
        "asked": ("why",),
        "requester": None,
        "requested_at": START,
        "expires_at": START + timedelta(minutes=15),
        "used_at": None,
        "closed_at": None,
        "closed_why": None,
    }
    return ApprovalRequest(**{**usual, **more}, answers=answers)


ONE = Approved(rung=0, digest="d", people=1)
TWO = Approved(rung=0, digest="d", people=2)
EXPIRED = {"expires_at": NOW}

TABLE: dict[str, tuple[ApprovalRequest, Approved, str | None]] = {
    "a yes": (asked(said("kim")), ONE, None),
    "nobody": (asked(), ONE, "0 of 1"),
    "another plan": (asked(said("kim"), digest="e"), ONE, "exactly this plan"),
    "another rung": (asked(said("kim"), rung=1), ONE, "exactly this plan"),
    "void": (asked(said("kim"), closed_at=START, closed_why="another"), ONE, "exactly this plan"),
    "a yes and a no": (asked(said("kim"), said("sam", yes=False)), ONE, "sam said no"),
    "expired": (asked(said("kim"), **EXPIRED), ONE, "expired"),
    "used in time, for a second change": (asked(said("kim"), used_at=START, **EXPIRED), ONE, None),
    "used and then declined": (asked(said("kim", yes=False), used_at=START), ONE, "said no"),
    "the requester's own, where one is asked": (asked(said("kim"), requester="kim"), ONE, None),
    "one of two": (asked(said("kim"), people=2), TWO, "1 of 2"),
    "two": (asked(said("kim"), said("sam"), people=2), TWO, None),
    "one of them the requester": (
        asked(said("kim"), said("sam"), people=2, requester="kim"),
        TWO,
        "1 of 2",
    ),
    "asked of one, needed of two": (asked(said("kim")), TWO, "1 of 2"),
}


@pytest.mark.parametrize(("request_", "approved", "why"), TABLE.values(), ids=TABLE)
def test_only_the_approval_of_exactly_this_plan_is_used(
    request_: ApprovalRequest, approved: Approved, why: str | None
) -> None:
    refused = against(request_, approved, NOW)
    if why is None:
        assert refused is None
        return
    assert refused is not None
    assert why in refused.why
    assert not refused.passing
    assert isinstance(refused, Declined) is ("said no" in why)
