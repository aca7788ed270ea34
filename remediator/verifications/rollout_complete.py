"""The change has rolled out: every replica runs it and is available."""

from remediator.clients.workload import look_at
from remediator.domain.answers import Answer, Finding
from remediator.domain.change import Change, Scaling, TemplatePatch, revision_hash
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Verification
from remediator.workloads.fields import count
from remediator.workloads.rollout_status import rollout_status


class RolloutComplete(Verification):
    """Recovered when the template we set is current and fully rolled out (observedGeneration caught up)."""

    async def finding(self, change: Change, run: RunView, kit: Kit) -> Finding:
        seen = await look_at(kit.kube, run.target)
        if seen is None or seen.uid != change.uid:
            return Finding(answer=Answer.UNKNOWN, why=f"{run.target} is gone or was replaced")
        if isinstance(change, TemplatePatch) and revision_hash(seen.template) != change.to_revision:
            return Finding(answer=Answer.NOT_RECOVERED, why="the template is no longer the one we set")
        if isinstance(change, Scaling) and count(seen.workload, "spec", "replicas") != change.to_replicas:
            return Finding(answer=Answer.NOT_RECOVERED, why=f"it no longer wants {change.to_title}")
        status = rollout_status(seen.workload, seen.revision_objects, seen.pods, kit.clock.now())
        match status.state:
            case "complete":
                return Finding(answer=Answer.RECOVERED, why=status.why)
            case "unknown":
                return Finding(answer=Answer.UNKNOWN, why=status.why)
            case _:
                return Finding(answer=Answer.NOT_RECOVERED, why=status.why)
