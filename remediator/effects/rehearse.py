"""Ask the API server what it would say to a change, without making it: admission refuses early, or not at all."""

import re

from remediator.clients.kube_write import Applied, KubeWriter, NotSent, Refused
from remediator.domain.answers import Refusal
from remediator.domain.change import Change, Eviction, Scaling
from remediator.effects.apply import effect_patch
from remediator.effects.recovery import Seen

_NO_REHEARSAL = re.compile(r"does not support dry run")
"""What the API server says (400) when an admission webhook with side effects would have to be asked."""

_TEST_FAILED = "the server rejected our request due to an error in our request"
"""The whole message of a failed `test` of a JSON Patch (422); an admission says more."""

_PASSING = (401, 404, 409, 429)
"""Of the object, or of our credentials, which are renewed while we run: no verdict on the change."""


async def rehearse(
    writer: KubeWriter, change: Change, marker: str, epoch: int, deadline: float
) -> Refusal | None:
    """Send the very patch with dryRun=All; why it would not be made, or None.

    Validation and admission answer as they will for the real one. Where a webhook cannot be rehearsed
    nothing is learnt, and the real answer has to do. Evictions are not rehearsed: refusing one changes nothing.
    """
    if isinstance(change, Eviction):
        return None
    target, patch = change.target, effect_patch(change, marker, epoch)
    answer = await writer.patch(
        target.kind, target.namespace, target.name, patch, deadline=deadline, dry_run=True
    )
    match answer:
        case Applied(object=would_be):
            if Seen.of(would_be).is_to(change):
                return None
            what = "number of replicas" if isinstance(change, Scaling) else "template"
            return Refusal(why=f"an admission webhook would write another {what} than the one proposed")
        case Refused(status=400, message=message) if _NO_REHEARSAL.search(message):
            return None
        case Refused(status=status, message=message):
            passing = status in _PASSING or (status == 422 and message == _TEST_FAILED)
            return Refusal(why=f"the API server would refuse it ({status}): {message}", passing=passing)
        case NotSent(why=why):
            return Refusal(why=f"it could not be rehearsed: {why}", passing=True)
        case _:
            return Refusal(why=f"the answer to the rehearsal is unclear: {answer.why}", passing=True)
