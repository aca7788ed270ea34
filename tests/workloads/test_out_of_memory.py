"""Which containers were killed for their memory, when that is the alert's doing, and which limit to give instead."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from remediator.workloads.out_of_memory import Kill, Short, killed_since, kills_in, short_of

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
MI = 2**20
SEEN = "at most 510Mi were seen in 7 days"


def pod(name: str, killed: timedelta | None = None, limit: str | None = "512Mi") -> dict[str, Any]:
    """It runs and is ready; `killed` is how long before AT its container was killed and started again."""
    status: dict[str, Any] = {"name": "app", "ready": True, "state": {"running": {}}}
    if killed is not None:
        ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": f"{AT - killed:%Y-%m-%dT%H:%M:%SZ}"}
        status["lastState"] = {"terminated": ended}
    container = {"name": "app", "resources": {"limits": {"memory": limit}} if limit else {}}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [container]},
        "status": {"containerStatuses": [status]},
    }


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def kill(limit: str = "512Mi", pod: str = "a") -> Kill:
    return Kill(pod, "app", limit, AT)


def test_a_kill_is_told_with_the_limit_that_was_met() -> None:
    told = kills_in([pod("a", minutes(1)), pod("b"), pod("c", minutes(1), None)])
    assert [str(each) for each in told] == [
        "a: app was OOMKilled at its memory limit of 512Mi",
        "c: app was OOMKilled and has no memory limit of its own",
    ]


def test_what_ended_otherwise_was_not_killed_for_its_memory() -> None:
    crashed = pod("a", minutes(1))
    crashed["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = "Error"
    assert kills_in([crashed]) == []


@pytest.mark.parametrize(
    ("pods", "blamed", "killed"),
    {
        "the alert's pod was": ([pod("a", minutes(5)), pod("b")], "a", ["a"]),
        "another than the alert's was": ([pod("a", minutes(5)), pod("b")], "b", []),
        "one of two was, and the alert names none": ([pod("a", minutes(5)), pod("b")], None, []),
        "every one was": ([pod("a", minutes(5)), pod("b", minutes(1))], None, ["a", "b"]),
        "long before the alert": ([pod("a", minutes(11))], "a", []),
        "there is no pod": ([], None, []),
    }.values(),
)  # fmt: skip
def test_a_pod_that_was_killed_lately_was_started_anew_already(
    pods: list[dict[str, Any]], blamed: str | None, killed: list[str]
) -> None:
    assert [each.pod for each in killed_since(pods, AT - minutes(10), blamed)] == killed


@pytest.mark.parametrize(
    ("limit", "kills", "peak", "suggested"),
    {
        "killed at its limit": ("512Mi", [kill()], 510, Short("768Mi", (
            f"1 pod was killed at 512Mi ({SEEN}), so it needs more; how much more nobody can have seen: "
            "768Mi is half as much again"))),
        "nobody knows what it used": ("512Mi", [kill(), kill(pod="b")], None, Short("768Mi", (
            "2 pods were killed at 512Mi (what it used is not known), so it needs more; "
            "how much more nobody can have seen: 768Mi is half as much again"))),
        "an earlier version used more": ("512Mi", [kill()], 800, Short("1200Mi", (
            "1 pod was killed at 512Mi (at most 800Mi were seen in 7 days), so it needs more; "
            "how much more nobody can have seen: 1200Mi is half as much again"))),
        "it came near": ("512Mi", [], 510, Short("638Mi", f"{SEEN}, near 512Mi; 638Mi is a quarter more than that")),
        "it was killed at a limit it no longer has, and gets by": ("1Gi", [kill()], 510, None),
        "it stayed far from it": ("512Mi", [], 300, None),
        "nothing is known": ("512Mi", [], None, None),
        "its limit cannot be read": ("much", [kill("much")], 510, None),
    }.values(),
)  # fmt: skip
def test_a_limit_is_suggested_by_what_was_seen(
    limit: str, kills: list[Kill], peak: int | None, suggested: Short | None
) -> None:
    assert short_of(limit, kills, None if peak is None else Decimal(peak * MI)) == suggested
