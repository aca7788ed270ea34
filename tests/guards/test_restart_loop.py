"""restart_loop: what the next pod would meet again; for an eviction, unless its place may be what ails it."""

from datetime import timedelta
from typing import Any

import pytest

from remediator.domain.change import Eviction
from remediator.guards.restart_loop import RestartLoop
from remediator.workloads.crash_causes import pod_met_again
from tests.diagnostics.looking import pods_of, runs
from tests.guards.changes import API, a_change
from tests.guards.facts import Facts


def pod(name: str, reason: str | None, version: str = "a") -> dict[str, Any]:
    """Ready without a reason; else its container waits for it."""
    state = {"waiting": {"reason": reason}} if reason else {"running": {}}
    return {
        "metadata": {"name": name, "labels": {"pod-template-hash": version}},
        "status": {
            "conditions": [{"type": "Ready", "status": "False" if reason else "True"}],
            "containerStatuses": [{"name": "app", "state": state}],
        },
    }


ILL = pod("ill", "ImagePullBackOff")


@pytest.mark.parametrize(
    ("beside", "again"),
    {
        "alone it would meet the same": ((), True),
        "so it would beside another that meets it": ((pod("other", "ErrImagePull"),), True),
        "and beside a ready one of the version before": ((pod("other", None, "b"),), True),
        "not where its own version runs elsewhere": ((pod("other", None),), False),
    }.values(),
)
def test_an_eviction_is_useless_where_no_pod_of_its_version_runs(
    beside: tuple[dict[str, Any], ...], again: bool
) -> None:
    assert bool(pod_met_again([ILL, *beside], "ill")) is again


def test_a_crash_may_be_over_in_another_pod() -> None:
    assert pod_met_again([pod("ill", "CrashLoopBackOff")], "ill") == ()


@pytest.mark.parametrize(
    ("ago", "named", "answer"),
    {
        "the alert's pod was": (60, True, "refuse"),
        "another was": (60, False, "allow"),
        "long before the alert": (900, True, "allow"),
    }.values(),
)
async def test_a_pod_that_was_killed_for_its_memory_and_runs_again_was_started_anew_already(
    facts: Facts, ago: float, named: bool, answer: str
) -> None:
    await runs(facts, resources={"limits": {"memory": "512Mi"}})
    first, second = pods_of(facts)
    ended = f"{facts.clock.now() - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%SZ}"
    killed = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ended}
    (status,) = facts.emulator.get("pods", "shop", first)["status"]["containerStatuses"]  # type: ignore[index]
    statuses = [{**status, "restartCount": 1, "lastState": {"terminated": killed}}]
    changed = {"status": {"containerStatuses": statuses}}
    facts.emulator.patch("pods", "shop", first, changed, user="kubelet", subresource="status")
    run = facts.run()
    assert run.alert is not None
    labels = {**run.alert.labels, "pod": first if named else second}
    run = run.model_copy(update={"alert": run.alert.model_copy(update={"labels": labels})})
    verdict = await facts.verdict(RestartLoop(), run, a_change("restart"))
    assert verdict.answer == answer
    if answer == "refuse":
        assert verdict.why == (
            f"a restart is useless: {first}: app was OOMKilled at its memory limit of 512Mi"
        )


def test_evictions_are_counted_but_not_those_that_complete_a_rollback(facts: Facts) -> None:
    said: dict[str, Any] = {"target": API, "uid": "u", "pod": "p", "pod_uid": "pu", "from_exact": ""}
    eviction = Eviction(**said, from_title="", to_title="", summary="")
    guard, run = RestartLoop(), facts.run()
    assert guard.applies_to(a_change("restart"), run)
    assert guard.applies_to(eviction, run)
    assert not guard.applies_to(eviction.model_copy(update={"completes": True}), run)
    assert {each.of for each in guard.limits(eviction, run)} == {"action"}
