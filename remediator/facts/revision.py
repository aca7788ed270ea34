"""Facts of the workload's versions."""

from remediator.actions.rollback import Rollback
from remediator.domain.run_view import RunView
from remediator.errors import Permanent
from remediator.facts.target import seen
from remediator.kit import Kit
from remediator.workloads.revisions import current_revision, revisions_of


async def current(run: RunView, kit: Kit) -> str:
    found = await seen(run, kit)
    revision = current_revision(found.workload, revisions_of(found.workload, found.revision_objects))
    if revision is None:
        raise Permanent("its controller has made none of the current template yet")
    return str(revision.number)


async def good(run: RunView, kit: Kit) -> str:
    """The one that a rollback would choose, by the same look at the same facts."""
    proposal = await Rollback().propose(run, kit)
    if not proposal.changes:
        raise Permanent(proposal.refusal.why if proposal.refusal is not None else "no rollback was proposed")
    for candidate in (row for each in proposal.evidence for row in each.details["candidates"]):
        if candidate["good"] and candidate["number"] is not None:
            return str(candidate["number"])
    raise Permanent("Kubernetes has no revision of it any more")
