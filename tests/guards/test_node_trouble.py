"""node_trouble: pods that are unready because of their node are no reason to change their workload."""

from collections.abc import Callable
from typing import Any

import pytest

from remediator.guards.node_trouble import NodeTrouble
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.workloads.node_trouble import node_of, trouble_of, unready
from tests.guards.facts import Facts
from tests.support.story import Story, deployment

NODE = "node-1"


def pod(ready: str | None, node: str = NODE, phase: str = "Running") -> dict[str, Any]:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    return {"spec": {"nodeName": node}, "status": {"phase": phase, "conditions": conditions}}


def node(ready: str | None = "True", **spec: Any) -> dict[str, Any]:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": NODE}, "spec": spec, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("found", "trouble"),
    [
        (node(), None),
        (node(unschedulable=False), None),
        (node("False"), "not ready"),
        (node("Unknown"), "no longer heard of"),
        (node(None), "no longer heard of"),
        ({"metadata": {}}, "no longer heard of"),
        (node(unschedulable=True), "cordoned"),
        ({**node(), "metadata": {"deletionTimestamp": "2026-01-05T12:00:00Z"}}, "being removed"),
        (None, "gone"),
    ],
)
def test_what_is_wrong_with_a_node(found: dict[str, Any] | None, trouble: str | None) -> None:
    assert trouble_of(found) == trouble


def test_what_counts_as_unready() -> None:
    waiting = pod(None, node="", phase="Pending")
    pods = [pod("True"), pod("False"), pod("Unknown"), pod(None), waiting]
    pods += [pod("False", phase="Failed"), pod("False", phase="Succeeded")]
    assert unready(pods) == pods[1:5]
    assert node_of(waiting) == ""


def not_ready(facts: Facts, status: str = "Unknown") -> None:
    conditions = [{"type": "Ready", "status": status}]
    changed = {"status": {"conditions": conditions}}
    facts.emulator.patch("nodes", "", NODE, changed, user="system:node", subresource="status")


def cordoned(facts: Facts) -> None:
    facts.emulator.patch("nodes", "", NODE, {"spec": {"unschedulable": True}}, user="somebody")


def gone(facts: Facts) -> None:
    facts.emulator.delete("nodes", "", NODE)


def well(facts: Facts) -> None:
    """Nothing is wrong with the node."""


async def crashing(facts: Facts, replicas: int = 3) -> None:
    """Deployment api, none of whose pods is ready, all on node-1."""
    facts.emulator.create(deployment("app:crash", replicas=replicas))
    await facts.clock.advance(30)
    await facts.emulator.catch_up()


@pytest.mark.parametrize(
    ("situation", "answer", "sentence"),
    [
        (well, "allow", "no unready pod of it is on a node in trouble"),
        (not_ready, "refuse", "3 of 3 unready pods are on nodes in trouble: node-1 is no longer heard of"),
        (cordoned, "refuse", "3 of 3 unready pods are on nodes in trouble: node-1 is cordoned"),
        (gone, "refuse", "3 of 3 unready pods are on nodes in trouble: node-1 is gone"),
    ],
)
async def test_unready_pods_on_a_node(
    facts: Facts, situation: Callable[[Facts], None], answer: str, sentence: str
) -> None:
    await crashing(facts)
    situation(facts)
    verdict = await facts.verdict(NodeTrouble())
    assert (verdict.answer, verdict.why) == (answer, sentence)
    assert verdict.passing is (answer == "refuse")
    assert verdict.inputs["refuses_from"] == "a third"


async def test_while_every_pod_is_ready_no_node_is_asked(facts: Facts) -> None:
    facts.emulator.create(deployment("app:v1"))
    await facts.clock.advance(30)
    await facts.emulator.catch_up()
    cordoned(facts)
    verdict = await facts.verdict(NodeTrouble())
    assert (verdict.answer, verdict.inputs) == ("allow", {"unready": 0})
    assert not [each for each in facts.emulator.requests if "/nodes/" in each.path]


@pytest.mark.parametrize(
    ("bad", "elsewhere", "nowhere", "answer"),
    [
        (1, 0, 0, "refuse"),
        (1, 1, 1, "refuse"),
        (1, 2, 1, "allow"),
        (33, 67, 0, "allow"),
        (34, 66, 0, "refuse"),
        (0, 2, 0, "allow"),
        (0, 0, 2, "allow"),
    ],
)
def test_a_third_of_them_is_enough(bad: int, elsewhere: int, nowhere: int, answer: str) -> None:
    """So many pods on a bad node, on one that is well, and on none."""
    pods = [pod("False")] * bad + [pod("False", "node-2")] * elsewhere
    pods += [pod(None, node="", phase="Pending")] * nowhere
    verdict = NodeTrouble().judged(pods, {NODE: "gone"})
    assert verdict.answer == answer, verdict.why
    assert (verdict.inputs["unready"], verdict.inputs["on_bad_nodes"]) == (len(pods), bad)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "the token is not valid"),
        (403, "grant get on nodes to this ServiceAccount"),
        (429, "answered 429"),
        (500, "answered 500"),
    ],
)
async def test_a_node_that_cannot_be_read_is_unknown(facts: Facts, status: int, sentence: str) -> None:
    await crashing(facts)
    refused = AnswerStatus(status, "Refused", "no")
    facts.emulator.faults.add(Fault("GET", "/nodes/node-1$", refused, times=None))
    verdict = await facts.verdict(NodeTrouble())
    assert (verdict.answer, verdict.passing) == ("unknown", True)
    assert sentence in verdict.why


async def test_a_target_that_is_gone_is_unknown(facts: Facts) -> None:
    assert (await facts.verdict(NodeTrouble())).answer == "unknown"


async def test_a_release_is_rolled_back_once_its_node_is_well_again(story: Story) -> None:
    await story.create("app:v1")
    await story.let(35 * 60)
    story.release("app:crash-v2")
    await story.let(4 * 60)
    story.emulator.patch("nodes", "", NODE, {"spec": {"unschedulable": True}}, user="somebody")
    await story.fire()
    run = await story.run()
    assert (run.state, story.effects()) == ("PROPOSED", [])
    assert "node_trouble:" in (run.why or "")
    story.emulator.patch("nodes", "", NODE, {"spec": {"unschedulable": False}}, user="somebody")
    await story.let(45)
    assert story.effects() == ["app:v1"]
