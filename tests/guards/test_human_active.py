"""human_active: which writes of the spec show people at work, by managedFields, and which number by our memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remediator.domain.change import RESTARTED_AT
from remediator.guards.human_active import HumanActive
from remediator.store import replica_counts
from remediator.store.database import Database
from remediator.store.replica_counts import Wanted
from tests.guards.changes import a_scaling
from tests.guards.facts import Facts
from tests.support.story import deployment

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ALERT = NOON + timedelta(minutes=4)
NOW = NOON + timedelta(minutes=6)

IMAGE: dict[str, Any] = {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}}
STAMP: dict[str, Any] = {"f:template": {"f:metadata": {"f:annotations": {".": {}, f"f:{RESTARTED_AT}": {}}}}}
REPLICAS: dict[str, Any] = {"f:replicas": {}}
STRATEGY: dict[str, Any] = {"f:strategy": {"f:type": {}}}


def entry(manager: str, after: float | None, spec: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """An entry for a write so many seconds after noon."""
    found = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": spec} if spec else {}, **more}
    if after is not None:
        found["time"] = (NOON + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return found


MADE_IT = entry("kubectl-set", -1, IMAGE)
"""The write that made the rollout which began at noon."""

TABLE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "only the rollout": ([MADE_IT], "allow"),
    "the rollout within the same second": ([entry("helm", 0, IMAGE)], "allow"),
    "a pipeline's second write": ([MADE_IT, entry("kubectl-patch", 9, STRATEGY)], "allow"),
    "another manager's edit": ([MADE_IT, entry("kubectl-edit", 60, STRATEGY)], "refuse"),
    "the same manager's edit": ([entry("kubectl-edit", 60, {**IMAGE, **STRATEGY})], "refuse"),
    "a template changed and put back": ([MADE_IT, entry("kubectl-edit", 60, IMAGE)], "refuse"),
    "an apply by GitOps": ([MADE_IT, entry("argocd-controller", 60, STRATEGY, operation="Apply")], "refuse"),
    "pausing": ([MADE_IT, entry("kubectl-rollout", 60, {**STAMP, "f:paused": {}})], "refuse"),
    "status": ([MADE_IT, entry("kubectl-edit", 60, STRATEGY, subresource="status")], "allow"),
    "kubectl scale": ([MADE_IT, entry("kubectl", None, REPLICAS, subresource="scale")], "allow"),
    "kubectl edit of replicas": ([MADE_IT, entry("kubectl-edit", 60, REPLICAS)], "allow"),
    "replicas and more": ([MADE_IT, entry("kubectl-edit", 60, {**REPLICAS, **STRATEGY})], "refuse"),
    "a restart": ([MADE_IT, entry("kubectl-rollout", 60, STAMP)], "allow"),
    "an annotation": ([MADE_IT, entry("kubectl-annotate", 60, None)], "allow"),
    "the HPA": ([MADE_IT, entry("horizontal-pod-autoscaler", 60, STRATEGY)], "allow"),
    "the VPA": ([MADE_IT, entry("vpa-updater", 60, IMAGE)], "allow"),
    "KEDA": ([MADE_IT, entry("keda", 60, STRATEGY)], "allow"),
    "a controller of Kubernetes": ([MADE_IT, entry("kube-controller-manager", 60, STRATEGY)], "allow"),
    "ourselves": ([MADE_IT, entry("remediator", 60, IMAGE)], "allow"),
    "long ago": ([entry("kubectl-edit", -3600, STRATEGY), MADE_IT], "allow"),
    "two people, one of them late": (
        [entry("kubectl-edit", -60, STRATEGY), MADE_IT, entry("kubectl-patch", 120, STRATEGY)],
        "refuse",
    ),
    "no managedFields": ([], "unknown"),
    "nobody owns the spec": ([entry("kubectl-annotate", 60, None)], "unknown"),
    "a write without its time": ([MADE_IT, entry("kubectl-edit", None, STRATEGY)], "unknown"),
    "an apply that changed no value": ([MADE_IT, entry("kubectl", None, IMAGE, operation="Apply")], "allow"),
    "nothing but such an apply": ([entry("kubectl", None, IMAGE, operation="Apply")], "unknown"),
}


def judged(entries: list[dict[str, Any]], **moments: datetime) -> Any:
    times = {"began": NOON, "cause_began": ALERT, "now": NOW, **moments}
    return HumanActive().judged({"metadata": {"managedFields": entries}}, **times)


@pytest.mark.parametrize("case", TABLE)
def test_each_kind_of_write(case: str) -> None:
    entries, answer = TABLE[case]
    verdict = judged(entries)
    assert verdict.answer == answer, verdict.why
    assert verdict.passing is (answer != "allow")


def test_the_refusal_says_who_when_and_until_when() -> None:
    why = judged([MADE_IT, entry("kubectl-edit", 65, {**STRATEGY, "f:paused": {}})]).why
    assert "kubectl-edit, which owns spec.paused, spec.strategy, wrote it last at 12:01:05" in why
    assert why.endswith("asked again until 30m have passed")


def test_the_refusal_does_not_claim_that_the_spec_was_changed_once_more() -> None:
    annotated_since = entry("helm", 600, IMAGE)
    annotated_since["fieldsV1"]["f:metadata"] = {"f:annotations": {"f:team": {}}}
    why = judged([annotated_since], now=NOON + timedelta(minutes=11)).why
    assert "changed" not in why
    assert "helm, which owns spec.template, wrote it last at 12:10:00, perhaps only its metadata" in why


def test_it_ends_by_itself() -> None:
    edited = [MADE_IT, entry("kubectl-edit", 60, STRATEGY)]
    end = NOON + timedelta(seconds=60, minutes=30)
    assert judged(edited, now=end - timedelta(seconds=1)).answer == "refuse"
    assert judged(edited, now=end).answer == "allow"


def test_a_rollout_newer_than_the_alert_is_somebody_at_work() -> None:
    fix = [entry("kubectl-set", 300, IMAGE)]
    assert judged(fix, began=NOON + timedelta(seconds=300)).answer == "refuse"


async def test_a_number_to_be_put_back_that_the_memory_has_not_seen_may_be_a_moment_old(
    facts: Facts, database: Database
) -> None:
    made = facts.emulator.create(deployment("app:v1", replicas=3))
    uid = made["metadata"]["uid"]

    async def seen(replicas: int) -> None:
        numbers = [Wanted(kind="deployment", name="api", uid=uid, replicas=replicas)]
        async with database.transaction() as connection:
            await replica_counts.remember(connection, "prod", "shop", numbers, unseen_after=600)

    await facts.clock.advance(60)
    await facts.emulator.catch_up()
    back = a_scaling(1, 3, uid=uid, restores=True)
    verdict = await facts.verdict(HumanActive(), change=back)
    assert "since when 1 replicas are wanted is not seen yet" in verdict.why
    await seen(3)
    verdict = await facts.verdict(HumanActive(), change=back)
    assert (verdict.answer, verdict.passing) == ("unknown", True), verdict.why
    await facts.clock.advance(60)
    await seen(1)
    verdict = await facts.verdict(HumanActive(), change=back)
    assert verdict.answer == "allow", verdict.why
