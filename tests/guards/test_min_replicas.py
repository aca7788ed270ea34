"""min_replicas: enough pods are wanted, and enough are ready now."""

from typing import Any

import pytest

from remediator.guards.min_replicas import MinReplicas
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.guards.facts import Facts
from tests.guards.test_floor import workload
from tests.support.story import deployment

TWO = MinReplicas.model_validate(2)
HALF_READ: dict[str, Any] = {"kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 3}}


@pytest.mark.parametrize(
    ("found", "answer", "passing"),
    [
        (workload(replicas=2, ready=2), "allow", False),
        (workload(replicas=3, ready=2), "allow", False),
        (workload(replicas=2, ready=1), "refuse", True),
        (workload(replicas=3, ready=0), "refuse", True),
        (workload(replicas=1, ready=1), "refuse", False),
        (workload(replicas=0, ready=0), "refuse", False),
        (workload("StatefulSet", replicas=2, ready=2), "allow", False),
        (workload("DaemonSet", replicas=2, ready=2), "allow", False),
        (workload("DaemonSet", replicas=2, ready=1), "refuse", True),
        (workload("DaemonSet", replicas=1, ready=1), "refuse", False),
        (workload(replicas=-1), "unknown", True),
        (HALF_READ, "unknown", True),
    ],
)
def test_what_is_wanted_and_what_is_ready(found: dict[str, Any], answer: str, passing: bool) -> None:
    verdict = TWO.judged(found)
    assert (verdict.answer, verdict.passing) == (answer, passing), verdict.why
    if answer != "unknown":
        assert verdict.inputs["at_least"] == 2


async def test_it_looks_at_the_target(facts: Facts) -> None:
    assert (await facts.verdict(TWO)).answer == "unknown"
    facts.emulator.create(deployment("app:v1", replicas=2))
    await facts.clock.advance(30)
    await facts.emulator.catch_up()
    assert (await facts.verdict(TWO)).allows
    facts.emulator.faults.add(Fault("GET", "/deployments/api$", AnswerStatus(403, "Forbidden", "no")))
    verdict = await facts.verdict(TWO)
    assert (verdict.answer, verdict.passing) == ("unknown", True)
    assert "grant get on deployments" in verdict.why
