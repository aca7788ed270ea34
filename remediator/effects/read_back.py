"""Look at the object itself, never at a cache, to learn what became of an attempt."""

from remediator.clients.kube_read import KubeReader
from remediator.domain.change import Change, Eviction
from remediator.effects.recovery import Seen, SeenPod


async def read_back(reader: KubeReader, change: Change) -> Seen | SeenPod | None:
    """The facts that decide, or None when the workload does not exist.

    Raises Retryable or Permanent when it cannot be read: then nothing is known.
    """
    target = change.target
    if isinstance(change, Eviction):
        return SeenPod.of(await reader.get("pod", target.namespace, change.pod))
    workload = await reader.get(target.kind, target.namespace, target.name)
    return None if workload is None else Seen.of(workload)
