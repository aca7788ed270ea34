"""quota: whether the first new pod of a rollout fits, in every unit Kubernetes writes."""

from decimal import Decimal
from typing import Any

import pytest

from remediator.guards.quota import Quota
from remediator.workloads.quantity import quantity
from tests.guards.changes import template

QUANTITIES = {
    "0": "0",
    "2": "2",
    "100m": "0.1",
    "1.5": "1.5",
    ".5": "0.5",
    "128Mi": "134217728",
    "1.5Gi": "1610612736",
    "1k": "1000",
    "2e3": "2000",
    "1E": "1000000000000000000",
    "5u": "0.000005",
    "-1": "-1",
}


@pytest.mark.parametrize("written", QUANTITIES)
def test_a_quantity_is_what_kubernetes_means(written: str) -> None:
    assert quantity(written) == Decimal(QUANTITIES[written])


@pytest.mark.parametrize("written", ["", "Mi", "1 Gi", "1KiB", "0x1", "1e", None, True, 1.5, "9" * 99, "٣"])
def test_what_is_no_quantity_raises(written: object) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantity(written)


def workload(
    replicas: int = 2, pods: int = 2, unavailable: Any = 0, surge: Any = 1, **spec: Any
) -> dict[str, Any]:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "api", "generation": 1},
        "spec": {"replicas": replicas, "strategy": rolling, **spec},
        "status": {"replicas": pods, "readyReplicas": replicas, "observedGeneration": 1},
    }


def a_quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "team"}, "spec": spec, "status": {"hard": hard, "used": used}}


FULL = a_quota({"pods": "2"}, {"pods": "2"})
ROOM = a_quota({"pods": "3"}, {"pods": "2"})
PLAIN = template("app:v1")


def asking(**resources: dict[str, str]) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "app", "image": "app:v1", "resources": resources}]}}


TABLE: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], str]] = {
    "no quota": (workload(), [], PLAIN, "allow"),
    "room": (workload(), [ROOM], PLAIN, "allow"),
    "full": (workload(), [FULL], PLAIN, "refuse"),
    "one of two full": (workload(), [ROOM, FULL], PLAIN, "refuse"),
    "full, and old pods end first": (workload(unavailable=1), [FULL], PLAIN, "allow"),
    "full, and no surge": (workload(unavailable=1, surge=0), [FULL], PLAIN, "allow"),
    "full, and everything is recreated": (workload(strategy={"type": "Recreate"}), [FULL], PLAIN, "allow"),
    "full, by the stuck pod that goes first": (workload(pods=3), [FULL], PLAIN, "allow"),
    "full of something else": (workload(), [a_quota({"services": "1"}, {"services": "1"})], PLAIN, "allow"),
    "memory": (
        workload(),
        [a_quota({"requests.memory": "1Gi"}, {"requests.memory": "900Mi"})],
        asking(requests={"memory": "128Mi"}),
        "refuse",
    ),
    "memory, just enough": (
        workload(),
        [a_quota({"memory": "1Gi"}, {"memory": "896Mi"})],
        asking(requests={"memory": "128Mi"}),
        "allow",
    ),
    "a limit is a request": (
        workload(),
        [a_quota({"cpu": "1"}, {"cpu": "900m"})],
        asking(limits={"cpu": "200m"}),
        "refuse",
    ),
    "a request is no limit": (
        workload(),
        [a_quota({"limits.cpu": "1"}, {"limits.cpu": "1"})],
        asking(requests={"cpu": "200m"}),
        "allow",
    ),
    "of pods that end": (
        workload(),
        [a_quota({"pods": "2"}, {"pods": "2"}, scopes=["Terminating"])],
        PLAIN,
        "allow",
    ),
    "of pods without requests": (
        workload(),
        [a_quota({"pods": "2"}, {"pods": "2"}, scopes=["BestEffort"])],
        PLAIN,
        "refuse",
    ),
    "of pods with requests": (
        workload(),
        [a_quota({"pods": "2"}, {"pods": "2"}, scopes=["NotBestEffort"])],
        PLAIN,
        "allow",
    ),
    "not counted yet": (workload(), [{"metadata": {"name": "team"}, "spec": {"hard": {}}}], PLAIN, "unknown"),
    "malformed": (workload(), [a_quota({"pods": "many"}, {})], PLAIN, "unknown"),
}


@pytest.mark.parametrize("case", TABLE)
def test_room_for_the_first_new_pod(case: str) -> None:
    found, quotas, to_template, answer = TABLE[case]
    verdict = Quota().judged(found, quotas, to_template)
    assert verdict.answer == answer, verdict.why
    assert verdict.passing is (answer != "allow")


def test_the_refusal_names_the_quota_and_what_is_used_up() -> None:
    why = Quota().judged(workload(), [FULL], PLAIN).why
    assert "ResourceQuota team has no room for another pod (pods: 2 of 2)" in why


def test_init_containers_take_turns_and_sidecars_stay() -> None:
    used = [a_quota({"cpu": "1"}, {"cpu": "500m"})]
    spec = asking(requests={"cpu": "300m"})
    spec["spec"]["initContainers"] = [{"name": "once", "resources": {"requests": {"cpu": "500m"}}}]
    assert Quota().judged(workload(), used, spec).answer == "allow"
    spec["spec"]["initContainers"] += [
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "300m"}}}
    ]
    assert Quota().judged(workload(), used, spec).answer == "refuse"


@pytest.mark.parametrize(("more", "answer"), [(-1, "allow"), (1, "allow"), (2, "refuse")])
def test_all_new_pods_of_a_scaling_have_to_fit(more: int, answer: str) -> None:
    verdict = Quota().judged_scaling([ROOM], PLAIN, more)
    assert verdict.answer == answer
    assert verdict.passing is (answer == "refuse")


def test_room_that_nobody_has_counted_is_not_known() -> None:
    assert Quota().judged_scaling([{"metadata": {"name": "team"}, "spec": {}}], PLAIN, 1).answer == "unknown"
