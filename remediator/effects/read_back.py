"""Look at the object itself, never at a cache, to learn what became of an attempt."""

from remediator.clients.kube_read import KubeReader
from remediator.domain.target import Target
from remediator.effects.recovery import Seen


async def read_back(reader: KubeReader, target: Target) -> Seen | None:
    """The facts that decide, or None when the object does not exist.

    Raises Retryable or Permanent when it cannot be read: then nothing is known.
    """
    workload = await reader.get(target.kind, target.namespace, target.name)
    return None if workload is None else Seen.of(workload)
