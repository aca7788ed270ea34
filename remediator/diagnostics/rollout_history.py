"""Which versions there were, which runs now, and how far its rollout is."""

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.difference import difference
from remediator.workloads.revision import title
from remediator.workloads.revisions import current_revision, revisions_of
from remediator.workloads.rollout_status import rollout_status


class RolloutHistory(Diagnostic):
    """Revisions newest first, with images, ages and what changed from each to the next."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        revisions = revisions_of(seen.workload, seen.revision_objects)
        current = current_revision(seen.workload, revisions)
        status = rollout_status(seen.workload, seen.revision_objects, seen.pods, kit.clock.now())
        rows = [
            {
                "revision": title(each),
                "created_at": each.created_at.isoformat(),
                "hash": each.hash,
                "current": each == current,
                "ready": each.ready,
            }
            for each in revisions
        ]
        changed = difference(revisions[1].template, revisions[0].template) if len(revisions) > 1 else []
        name = title(current) if current is not None else "not observed yet"
        return Evidence(
            step=self.key(),
            summary=f"current: {name}; rollout {status.state}: {status.why}",
            details={"revisions": rows, "newest_changed": changed},
        )
