"""floor: never fewer ready pods than min(ready now, floor), held against a simulated rollout at its worst."""

from itertools import product
from math import ceil
from typing import Any

import pytest

from remediator.guards.floor import Floor
from remediator.workloads.floor import healthy_wanted

BUDGETS: tuple[dict[str, Any], ...] = (
    {},
    *({"minAvailable": each} for each in (1, 2, 4, "50%", "100%")),
    *({"maxUnavailable": each} for each in (0, 1, "30%", "100%")),
)
UNAVAILABLE: tuple[Any, ...] = (None, 0, 1, 2, "50%", "100%")


def workload(
    kind: str = "Deployment",
    replicas: int = 1,
    ready: int = 1,
    strategy: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    status: dict[str, Any] = {"replicas": replicas, "readyReplicas": ready, "observedGeneration": 1}
    if kind == "DaemonSet":
        status = {"desiredNumberScheduled": replicas, "numberReady": ready, "observedGeneration": 1}
    return {
        "kind": kind,
        "metadata": {"name": "api", "generation": 1, "annotations": annotations},
        "spec": {"replicas": replicas, field: strategy or {"type": "RollingUpdate", "rollingUpdate": {}}},
        "status": status,
    }


def rolling(unavailable: Any, surge: Any = None) -> dict[str, Any]:
    given = {"maxUnavailable": unavailable, "maxSurge": surge}
    return {"type": "RollingUpdate", "rollingUpdate": {k: v for k, v in given.items() if v is not None}}


def pdb(budget: dict[str, Any], replicas: int) -> dict[str, Any]:
    """A budget for the pods, with what the disruption controller makes of it (getExpectedPodCount)."""
    if "minAvailable" in budget:
        healthy = in_pods(budget["minAvailable"], replicas, 0, up=True)
    else:
        healthy = max(0, replicas - in_pods(budget.get("maxUnavailable"), replicas, replicas, up=True))
    selector = {"matchLabels": {"app": "api"}} if budget else None
    return {
        "metadata": {"name": "api"},
        "spec": {"selector": selector},
        "status": {"desiredHealthy": healthy},
    }


def in_pods(value: Any, replicas: int, default: Any, *, up: bool) -> int:
    value = default if value is None else value
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * replicas / 100
    return ceil(share) if up else int(share)


def worst(replicas: int, ready: int, unavailable: int, surge: int) -> int:
    """The fewest ready pods a deployment controller allows while no new pod ever becomes ready.

    Its rule (kubernetes/pkg/controller/deployment/rolling.go): old pods may go while all pods, less the new
    ones that are not available, are more than the wanted ones less maxUnavailable; unready ones go first.
    """
    old, unready, new, fewest = ready, max(0, replicas - ready), 0, ready
    for _ in range(50):
        new = min(replicas, new + max(0, replicas + surge - (old + unready + new)))
        may_go = old + unready - (replicas - unavailable)
        for _ in range(max(0, may_go)):
            if unready:
                unready -= 1
            elif old > max(0, replicas - unavailable):
                old -= 1
        fewest = min(fewest, old)
    return fewest


def test_p21_no_combination_goes_below_the_floor_and_none_is_refused_for_nothing() -> None:
    """Replicas 0 to 5, ready 0 to 5, ten budgets, six settings of maxUnavailable: 2,160 cases.

    The strategy decides about a rollout, whom no budget binds, and the budget about an eviction.
    """
    cases = allowed = evicted = 0
    for replicas, ready, budget, unavailable in product(range(6), range(6), BUDGETS, UNAVAILABLE):
        cases += 1
        wanted = healthy_wanted([pdb(budget, replicas)], {"app": "api"})
        evicted += _eviction_is_right(ready, wanted)
        away = in_pods(unavailable, replicas, "25%", up=False)
        surge = in_pods(None, replicas, "25%", up=True)
        fewest = worst(replicas, ready, away if surge or away else 1, surge)
        found = workload(replicas=replicas, ready=ready, strategy=rolling(unavailable))
        verdict = Floor().judged(found)
        enough = fewest >= min(ready, 1)
        assert verdict.answer == ("allow" if enough else "ask"), (replicas, ready, unavailable, verdict.why)
        allowed += enough
    assert cases == 2160
    assert 0 < allowed < cases
    assert 0 < evicted < cases


def _eviction_is_right(ready: int, wanted: int) -> bool:
    """Hold the verdicts on evicting one pod against the promise; whether a ready one may go."""
    assert Floor().judged_eviction(ready, False, wanted).answer == "allow"
    if ready == 0:
        return False
    verdict = Floor().judged_eviction(ready, True, wanted)
    enough = ready - 1 >= min(ready, max(1, wanted))
    assert verdict.answer == ("allow" if enough else "refuse"), (ready, wanted, verdict.why)
    return enough


@pytest.mark.parametrize(("replicas", "ready", "floor"), [*product(range(1, 6), range(6), (2, 3, 5))])
def test_a_rules_own_floor_refuses(replicas: int, ready: int, floor: int) -> None:
    for unavailable in UNAVAILABLE:
        away = in_pods(unavailable, replicas, "25%", up=False)
        fewest = worst(replicas, ready, away, in_pods(None, replicas, "25%", up=True))
        verdict = Floor(replicas=floor).judged(
            workload(replicas=replicas, ready=ready, strategy=rolling(unavailable))
        )
        assert verdict.answer == ("allow" if fewest >= min(ready, floor) else "refuse"), verdict.why
        assert not verdict.passing


def parallel(replicas: int, ready: int) -> dict[str, Any]:
    """A StatefulSet that does not wait for one pod before it sees to the next."""
    found = workload("StatefulSet", replicas, ready)
    found["spec"]["podManagementPolicy"] = "Parallel"
    return found


RECREATE = {"type": "Recreate"}
ON_DELETE = {"type": "OnDelete"}


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (workload(), "allow"),
        (workload(strategy=rolling(1, 0)), "ask"),
        (workload(strategy=rolling(0, 0)), "ask"),
        (workload(strategy=rolling(0, 1)), "allow"),
        (workload(strategy=RECREATE), "ask"),
        (workload(replicas=3, ready=3, strategy=RECREATE), "ask"),
        (workload(replicas=3, ready=0, strategy=RECREATE), "allow"),
        (workload("StatefulSet", 3, 3), "allow"),
        (workload("StatefulSet", 3, 1), "allow"),
        (workload("StatefulSet", 2, 1), "allow"),
        (workload("StatefulSet", 2, 2, rolling("100%")), "ask"),
        (parallel(3, 1), "ask"),
        (parallel(3, 2), "allow"),
        (workload("StatefulSet", 3, 0), "allow"),
        (workload("StatefulSet", 1, 1), "ask"),
        (workload("StatefulSet", 1, 1, ON_DELETE), "allow"),
        (workload("DaemonSet", 3, 3), "allow"),
        (workload("DaemonSet", 1, 1), "ask"),
        (workload("DaemonSet", 1, 1, rolling(0, 1)), "allow"),
        (workload("DaemonSet", 3, 3, rolling("34%")), "allow"),
        (workload("DaemonSet", 3, 3, rolling("67%")), "ask"),
        (workload("DaemonSet", 1, 1, ON_DELETE), "allow"),
        (workload(strategy={"type": "Partition"}), "unknown"),
        (workload(strategy=rolling("many")), "unknown"),
        (workload(replicas=-1), "unknown"),
        ({"kind": "Deployment", "metadata": {}, "spec": {}}, "unknown"),
    ],
)
def test_each_strategy(found: dict[str, Any], answer: str) -> None:
    verdict = Floor().judged(found)
    assert verdict.answer == answer, verdict.why


def test_a_team_may_say_that_it_may_be_interrupted() -> None:
    marked = workload(strategy=RECREATE, annotations={"remediator.io/interruptible": "true"})
    assert Floor().judged(marked).answer == "allow"
    assert Floor(replicas=2).judged(workload(replicas=3, ready=3, strategy=RECREATE)).answer == "refuse"
    unsure = workload(strategy=RECREATE, annotations={"remediator.io/interruptible": "maybe"})
    assert Floor().judged(unsure).answer == "ask"


EXPRESSIONS = {
    "In": (["api", "web"], ["web"]),
    "NotIn": (["web"], ["api"]),
    "Exists": (None, None),
}


@pytest.mark.parametrize("operator", EXPRESSIONS)
def test_a_budget_binds_the_pods_it_selects(operator: str) -> None:
    def wanted(values: list[str] | None, key: str) -> int:
        requirement = {"key": key, "operator": operator, "values": values}
        budget = {"spec": {"selector": {"matchExpressions": [requirement]}}, "status": {"desiredHealthy": 3}}
        return healthy_wanted([budget], {"app": "api"})

    selecting, other = EXPRESSIONS[operator]
    assert wanted(selecting, "app") == 3
    assert wanted(other, "app" if other else "tier") == 0


def test_a_budget_whose_count_is_not_written_yet_is_unknown() -> None:
    with pytest.raises(ValueError, match="does not say how many"):
        healthy_wanted([{"metadata": {"name": "api"}, "spec": {"selector": {}}}], {"app": "api"})


@pytest.mark.parametrize(
    ("kind", "wanted", "ready", "to", "floor", "answer"),
    [
        ("Deployment", 0, 0, 3, 1, "allow"),
        ("Deployment", 3, 3, 5, 1, "allow"),
        ("Deployment", 5, 5, 3, 1, "allow"),
        ("Deployment", 5, 1, 1, 1, "allow"),
        ("Deployment", 3, 3, 0, 1, "ask"),
        ("Deployment", 3, 0, 0, 1, "allow"),
        ("Deployment", 5, 5, 3, 4, "refuse"),
        ("StatefulSet", 3, 1, 1, 1, "ask"),
        ("StatefulSet", 3, 3, 2, 1, "allow"),
    ],
)
def test_scaling_up_loses_nothing_and_scaling_down_to_none_asks(
    kind: str, wanted: int, ready: int, to: int, floor: int, answer: str
) -> None:
    found = workload(kind, replicas=wanted, ready=ready)
    assert Floor(replicas=floor).judged_scaling(found, to).answer == answer
