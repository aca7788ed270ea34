"""Whether what was changed is still there, and who changed it since."""

from remediator.clients.kube_read import KubeReader
from remediator.domain.change import Change, Eviction, Scaling, TemplatePatch
from remediator.effects.recovery import Seen


async def undone(reader: KubeReader, change: Change) -> str | None:
    """Why the change is not there any more, as a sentence that names who undid it; None while it is.

    Raises Retryable or Permanent when the object cannot be read. An evicted pod cannot come back.
    """
    if isinstance(change, Eviction):
        return None
    target = change.target
    workload = await reader.get(target.kind, target.namespace, target.name)
    if workload is None:
        return f"{target} was deleted after the change"
    seen = Seen.of(workload)
    if seen.uid != change.uid:
        return f"{change.target} was deleted after the change and made anew under the same name"
    return _scaled(change, seen) if isinstance(change, Scaling) else _undone(change, seen)


def _scaled(change: Scaling, seen: Seen) -> str | None:
    if seen.replicas == change.to_replicas:
        return None
    when = f" at {seen.last_scaled_at:%H:%M:%S}" if seen.last_scaled_at is not None else ""
    return (
        f"{seen.who_changed(change)} set {seen.replicas} replicas{when} in the place of {change.to_title}, "
        "and this daemon does not fight it"
    )


def _undone(change: TemplatePatch, seen: Seen) -> str | None:
    # A restart of the version that was set is still that version.
    if seen.revision == change.to_revision:
        return None
    who = seen.who_changed(change)
    when = f" at {seen.last_written_at:%H:%M:%S}" if seen.last_written_at is not None else ""
    if seen.revision != change.from_revision:
        return f"{who} changed the template to something else{when}: people or a pipeline are at work"
    return (
        f"{who} put {change.from_title} back{when}, and this daemon does not fight it: revert "
        f"{change.from_title} -> {change.to_title} where {who} takes it from"
    )
