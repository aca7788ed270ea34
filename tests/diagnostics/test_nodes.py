"""nodes: what is wrong with the nodes that the pods run on."""

from remediator.diagnostics.nodes import Nodes
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.workloads.node_trouble import pressure_of
from tests.diagnostics.looking import looked, runs
from tests.guards.facts import Facts
from tests.sandbox.kubernetes_recordings import exchanges_of


async def test_nodes_without_trouble_are_counted(facts: Facts) -> None:
    await runs(facts)
    evidence = await looked(facts, Nodes())
    assert evidence.summary == "1 nodes, none in trouble"
    (row,) = evidence.details["nodes"]
    assert (row["pods"], row["allocatable"]["pods"]) == (2, "110")


async def test_a_cordon_and_pressure_are_told_with_the_node(facts: Facts) -> None:
    await runs(facts)
    conditions = [
        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"},
        {"type": "Ready", "status": "True", "reason": "KubeletReady"},
    ]
    facts.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    facts.emulator.patch("nodes", "", "node-1", {"status": {"conditions": conditions}}, subresource="status")
    evidence = await looked(facts, Nodes())
    assert evidence.summary == ("node-1 (2 pods) is cordoned, has DiskPressure (KubeletHasDiskPressure)")


async def test_pods_without_a_node_are_counted(facts: Facts) -> None:
    await runs(facts)
    facts.emulator.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}})
    facts.emulator.patch("deployments", "shop", "api", {"spec": {"replicas": 3}})
    evidence = await looked(facts, Nodes())
    assert evidence.summary.endswith("1 pods have no node yet")


async def test_a_node_that_may_not_be_read_says_which_right_is_missing(facts: Facts) -> None:
    await runs(facts)
    facts.emulator.faults.add(Fault("GET", "/nodes/", AnswerStatus(403, "Forbidden", "no"), times=None))
    evidence = await looked(facts, Nodes())
    assert evidence.failed
    assert "grant get on nodes" in evidence.summary


def test_a_node_of_a_real_cluster_that_is_well_has_no_pressure() -> None:
    listed = next(each for each in exchanges_of(["nodes-namespaces"]) if each["name"] == "nodes")
    nodes = listed["response"]["body"]["items"]
    assert nodes
    assert [pressure_of(node) for node in nodes] == [[] for _ in nodes]
