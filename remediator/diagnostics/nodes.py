"""The nodes that the target's pods run on."""

import asyncio
from collections import Counter

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.fields import at, objects, text
from remediator.workloads.node_trouble import node_of, pressure_of, trouble_of

_MOST = 30
_AT_ONCE = 8
_SHOWN = 5


class Nodes(Diagnostic):
    """Ready, pressure, cordons and taints of each node with a pod of the target; those with most pods first."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        pods = Counter(node_of(pod) for pod in seen.pods if node_of(pod))
        without = sum(1 for pod in seen.pods if not node_of(pod))
        turns = asyncio.Semaphore(_AT_ONCE)

        async def looked_at(name: str) -> JsonObject:
            async with turns:
                return {"node": name, "pods": pods[name], **await _read(kit, name)}

        rows = await asyncio.gather(*(looked_at(name) for name, _ in pods.most_common(_MOST)))
        ill = [each for each in rows if each["trouble"]]
        said = [f"{each['node']} ({each['pods']} pods) {each['trouble']}" for each in ill[:_SHOWN]]
        said = said or [f"{len(rows)} nodes, none in trouble"]
        if without:
            said.append(f"{without} pods have no node yet")
        return Evidence(
            step=self.key(),
            summary="; ".join(said),
            details={"nodes": rows, "pods_without_node": without, "left_out": max(0, len(pods) - _MOST)},
            failed=bool(rows) and all("unread" in each for each in rows),
        )


async def _read(kit: Kit, name: str) -> JsonObject:
    """What is to be known of one node; one that cannot be read hides no other."""
    try:
        node = await kit.kube.node(name)
    except RemediatorError as reason:
        return {"trouble": f"cannot be read: {reason.sentence}", "unread": True}
    troubles = [f"is {why}" for why in [trouble_of(node)] if why is not None] + pressure_of(node or {})
    return {
        "trouble": ", ".join(troubles),
        "allocatable": at(node, "status", "allocatable"),
        "taints": [
            f"{text(each, 'key')}={text(each, 'value')}:{text(each, 'effect')}"
            for each in objects(node, "spec", "taints")
        ],
        "kubelet": text(node, "status", "nodeInfo", "kubeletVersion"),
    }
