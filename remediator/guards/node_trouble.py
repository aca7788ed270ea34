"""What a node does to its pods no new version and no restart cures."""

import asyncio
from collections.abc import Mapping, Sequence

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.node_trouble import node_of, trouble_of, unready

_AT_ONCE = 8
_SHOWN = 3


class NodeTrouble(Guard):
    """Waits while a third or more of the target's unready pods are on nodes not ready, cordoned or just gone.

    Kubernetes moves them by itself, or people are at work on the nodes. A pod that no node was found for is
    unready and on no bad node. Without unready pods nothing is asked of any node.
    """

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if not kit.look_at_nodes:
            caveat = "whether a node is to blame was not looked at: kubernetes.look_at_nodes is false"
            return self.allow("nodes are not looked at", caveats=(caveat,))
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return self.unknown(f"{run.target} does not exist")
        pods = unready(seen.pods)
        if not pods:
            return self.allow("no pod of it is unready", {"unready": 0})
        return self.judged(pods, await _troubled({node_of(pod) for pod in pods if node_of(pod)}, kit))

    def judged(self, pods: Sequence[JsonObject], troubled: Mapping[str, str]) -> GuardVerdict:
        """The verdict on unready pods when these nodes are in trouble, and in which."""
        on_them = sum(node_of(pod) in troubled for pod in pods)
        inputs = {
            "unready": len(pods),
            "on_bad_nodes": on_them,
            "nodes": dict(troubled),
            "refuses_from": "a third",
        }
        told = f"{on_them} of {len(pods)} unready pods are on nodes in trouble"
        if on_them and 3 * on_them >= len(pods):
            named = ", ".join(f"{name} is {why}" for name, why in list(troubled.items())[:_SHOWN])
            return self.refuse(f"{told}: {named}", inputs, passing=True)
        return self.allow(told if on_them else "no unready pod of it is on a node in trouble", inputs)


async def _troubled(names: set[str], kit: Kit) -> dict[str, str]:
    """Those of these nodes that are in trouble, and in which. Raises as the reader does, for any of them."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def trouble(name: str) -> str | None:
        async with turns:
            return trouble_of(await kit.kube.node(name))

    in_order = sorted(names)
    found = await asyncio.gather(*map(trouble, in_order))
    return {name: why for name, why in zip(in_order, found, strict=True) if why is not None}
