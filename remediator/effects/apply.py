"""Send an intent: absolute values, conditional on everything that must still be true."""

from typing import assert_never

from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import Applied, KubeWriter, NotSent, Refused, Unclear, WriteAnswer
from remediator.clients.wire_points import Wire, on_the_wire
from remediator.domain.change import ATTEMPT, Change, Eviction, Scaling, TemplatePatch
from remediator.domain.value import Value
from remediator.effects.claim import EPOCH_PATH
from remediator.effects.recovery import Conclusion, SeenPod, conclude
from remediator.effects.window import Window
from remediator.errors import RemediatorError
from remediator.fault_points import FaultPoint, reach

_POINTS = Wire(half=FaultPoint.J26, sent=FaultPoint.J27, answered=FaultPoint.J28)


class Sent(Value):
    """What the API server said, in a sentence. Only the object itself tells whether it was applied."""

    said: str
    retry_after: float = 0.0
    """Seconds the server asked us to wait; 0 when it did not."""
    may_land: bool = True
    """False when this one can never take effect: it was never begun, or the pod had changed when it arrived."""
    final: bool = False
    """A refusal that stops: a PodDisruptionBudget said no to an eviction, which is not asked again."""


async def apply(
    reader: KubeReader,
    writer: KubeWriter,
    change: Change,
    marker: str,
    epoch: int,
    deadline: float,
    window: Window,
) -> Sent:
    """Send the change once. It takes effect only if everything it was based on still holds.

    It is not sent when it cannot begin within the window.
    A patch tests uid, our epoch and the from-state; an eviction the uid and resourceVersion of the pod as it is just
    before, and not ready. The server may still apply it up to 34 s later even if we give up at the deadline (the API
    server's own bound on a request that changes something); a later claim, or any change of the pod, makes that
    harmless, and a uid is evicted once.
    """
    if isinstance(change, Eviction):
        return await _evict(reader, writer, change, deadline, window)
    target, patch = change.target, effect_patch(change, marker, epoch)
    with on_the_wire(_POINTS):
        answer = await writer.patch(
            target.kind, target.namespace, target.name, patch, deadline=deadline, begin=window.left
        )
    return _judged(change, answer)


async def _evict(
    reader: KubeReader, writer: KubeWriter, change: Eviction, deadline: float, window: Window
) -> Sent:
    """Look at the pod, and ask for its eviction as it was seen: the API does not ask whether it is ready."""
    left, pod = window.left(), change.pod
    try:
        seen = SeenPod.of(await reader.get("pod", change.target.namespace, pod))
    except RemediatorError as reason:
        return Sent(said=f"pod {pod} cannot be looked at: {reason.sentence}", may_land=False)
    if conclude("", change, seen, sends=0) is not Conclusion.NOT_YET:
        return Sent(said=f"pod {pod} became ready or went away", may_land=False)
    deadline -= left - window.left()
    if deadline <= 0:
        return Sent(said=f"the lease ran out while pod {pod} was looked at", may_land=False)
    with on_the_wire(_POINTS):
        answer = await writer.evict(
            change.target.namespace,
            pod,
            change.pod_uid,
            seen.version,
            deadline=deadline,
            begin=window.left,
        )
    return _judged(change, answer)


def _judged(change: Change, answer: WriteAnswer) -> Sent:
    reach(FaultPoint.J29)
    match answer:
        case Applied():
            return Sent(said="the API server said yes")
        case Refused(status=409, message=message) if isinstance(change, Eviction):
            return Sent(said=f"pod {change.pod} changed meanwhile: {message}", may_land=False)
        case Refused(status=status, message=message, retry_after=retry_after):
            said = f"the API server answered {status}: {message}"
            # A budget's no names no time (recorded); a server that is busy does.
            final = isinstance(change, Eviction) and retry_after is None
            return Sent(said=said, retry_after=retry_after or 0.0, final=final)
        case NotSent(why=why):
            return Sent(said=f"it could not be sent: {why}", may_land=False)
        case Unclear(why=why):
            return Sent(said=f"the answer is unclear: {why}")
        case never:
            assert_never(never)


def effect_patch(change: TemplatePatch | Scaling, marker: str, epoch: int) -> list[dict[str, object]]:
    """The JSON Patch of an effect.

    Replicas are set on the workload itself: its scale subresource has no place for our epoch and marker.
    """
    patch: list[dict[str, object]] = [
        {"op": "test", "path": "/metadata/uid", "value": change.uid},
        {"op": "test", "path": EPOCH_PATH, "value": str(epoch)},
    ]
    ours: dict[str, str | None] = {ATTEMPT: marker}
    if isinstance(change, Scaling):
        # Tested as well: a copy that is still under way must not land after a look that shows another template.
        patch.append({"op": "test", "path": "/spec/template", "value": change.from_template})
        patch += _set("/spec/replicas", change.from_replicas, change.to_replicas)
    else:
        patch += _set("/spec/template", change.from_template, change.to_template)
        ours |= change.annotations
    for name, value in ours.items():
        path = f"/metadata/annotations/{_escaped(name)}"
        if value is None:
            # Added first, because what is not there cannot be removed.
            patch += [{"op": "add", "path": path, "value": ""}, {"op": "remove", "path": path}]
        else:
            patch.append({"op": "add", "path": path, "value": value})
    return patch


def _set(path: str, before: object, after: object) -> list[dict[str, object]]:
    """If it is still as it was."""
    return [{"op": "test", "path": path, "value": before}, {"op": "replace", "path": path, "value": after}]


def _escaped(key: str) -> str:
    """A JSON Pointer's reference token (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
