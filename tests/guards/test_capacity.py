"""capacity: more pods are no help while one of them finds no node."""

from typing import Any

import pytest

from remediator.guards.capacity import Capacity
from tests.guards.changes import a_scaling
from tests.guards.facts import Facts
from tests.support.story import deployment


@pytest.mark.parametrize(("wants", "answer"), [("100m", "allow"), ("4000", "refuse")])
async def test_a_pod_that_finds_no_node_holds_the_scaling(facts: Facts, wants: str, answer: str) -> None:
    made = deployment("app:v1")
    requests: dict[str, Any] = {"requests": {"cpu": wants}}
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = requests
    facts.emulator.create(made)
    await facts.clock.advance(30)
    await facts.emulator.catch_up()
    verdict = await facts.verdict(Capacity(), change=a_scaling(2, 3))
    assert (verdict.answer, verdict.passing) == (answer, answer == "refuse"), verdict
    if answer == "refuse":
        assert "2 of 2 pods find no node" in verdict.why
        assert "Insufficient cpu" in verdict.why
