"""Take the target: write our epoch on it, so that every older write is refused by the server itself."""

from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import Applied, KubeWriter, NotSent, Refused, WriteAnswer
from remediator.clients.wire_points import Wire, on_the_wire
from remediator.domain.answers import Refusal
from remediator.domain.change import EPOCH
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.effects.window import Window
from remediator.fault_points import FaultPoint, reach

EPOCH_PATH = "/metadata/annotations/remediator.io~1epoch"

_PASSING = (401, 404, 409, 422, 429)
"""401 as well: credentials are renewed while we run, and one that ran out meanwhile is no verdict on the change."""


async def claim(
    reader: KubeReader,
    writer: KubeWriter,
    target: Target,
    uid: str,
    epoch: int,
    deadline: float,
    window: Window,
) -> JsonObject | Refusal:
    """Claim the target under `epoch` and return it as the server then had it, or why it is not ours.

    A JSON Patch tests the uid and the epoch last read; two claims of one read cannot both succeed.
    Raises Retryable or Permanent when the object cannot be read. A claim changes nothing but one
    annotation and is not an effect; it too has to begin within the window.
    """
    workload = await reader.get(target.kind, target.namespace, target.name)
    if workload is None:
        return Refusal(why=f"{target} no longer exists")
    metadata = workload["metadata"]
    if metadata["uid"] != uid:
        return Refusal(why=f"{target} was deleted and made anew since the plan was made")
    annotations = metadata.get("annotations")
    held = (annotations or {}).get(EPOCH)
    newer = _not_below(held, epoch)
    if newer is not None:
        return Refusal(why=newer)
    with on_the_wire(Wire(sent=FaultPoint.J21)):
        answer = await writer.patch(
            target.kind,
            target.namespace,
            target.name,
            _claim_patch(uid, annotations, held, epoch),
            deadline=deadline,
            begin=window.left,
        )
    return _claimed(answer)


def _claimed(answer: WriteAnswer) -> JsonObject | Refusal:
    match answer:
        case Applied(object=claimed):
            reach(FaultPoint.J22)
            return claimed
        case Refused(status=status, message=message):
            passing = status in _PASSING
            return Refusal(why=f"the API server refused the claim ({status}): {message}", passing=passing)
        case NotSent(why=why):
            return Refusal(why=f"the claim could not be sent: {why}", passing=True)
        case _:
            return Refusal(why=f"whether the claim was written is unclear: {answer.why}", passing=True)


def _not_below(held: str | None, epoch: int) -> str | None:
    """Why an epoch found on the object forbids ours."""
    if held is None:
        return None
    if not held.isdecimal():
        return f"the annotation {EPOCH} holds {held!r}, which is no epoch: somebody else wrote it"
    if int(held) >= epoch:
        return (
            f"the object carries epoch {held}, not below ours ({epoch}): another remediator's database wrote "
            f"it, or this one lost commits; when neither can act any more, remove the annotation {EPOCH}"
        )
    return None


def _claim_patch(
    uid: str, annotations: dict[str, str] | None, held: str | None, epoch: int
) -> list[dict[str, object]]:
    tests: list[dict[str, object]] = [{"op": "test", "path": "/metadata/uid", "value": uid}]
    if annotations is None:
        return [
            *tests,
            {"op": "test", "path": "/metadata/annotations", "value": None},
            {"op": "add", "path": "/metadata/annotations", "value": {EPOCH: str(epoch)}},
        ]
    return [
        *tests,
        {"op": "test", "path": EPOCH_PATH, "value": held},
        {"op": "add", "path": EPOCH_PATH, "value": str(epoch)},
    ]
