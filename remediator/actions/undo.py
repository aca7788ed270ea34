"""Take back what a run changed, because a person asked for it."""

from collections.abc import Sequence

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Proposal, Refusal
from remediator.domain.change import (
    Change,
    Scaling,
    TemplatePatch,
    new_versions,
    nothing_to_undo,
    revision_hash,
    scalings,
)
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Action
from remediator.workloads.difference import difference
from remediator.workloads.fields import count
from remediator.workloads.revision import title
from remediator.workloads.revisions import current_revision, revisions_of
from remediator.workloads.rollout_status import rollout_status, rolls_by_itself, waits_for_every_pod
from remediator.workloads.stuck_evictions import evictions_of_stuck_pods
from remediator.workloads.writers import Write, last_foreign_write, last_scaling


class Undo(Action):
    """Puts back the template, or the number of replicas, that a run found in the place of the one it left.

    Only while the workload still has what the run left; a restart since changes no version. It has no
    fields and stands in no rule: the run it is for is named by the person who asks.
    """

    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        undone = run.asked_by.undo_of if run.asked_by is not None else None
        if undone is None:
            return _refused("nobody said which run is to be undone")
        made = await kit.history.effects_of(undone)
        nothing = nothing_to_undo(made)
        if nothing is not None:
            return _refused(f"run {undone}: {nothing}")
        versions, scaled = new_versions(made), scalings(made)
        seen = await look_at(kit.kube, run.target)
        gone = _superseded(seen, versions, scaled, undone)
        if seen is None or gone is not None:
            return _refused(gone or f"{run.target} does not exist")
        status = rollout_status(seen.workload, seen.revision_objects, seen.pods, kit.clock.now())
        if waits_for_every_pod(seen.workload) and status.state == "in_progress" and not status.rolled_out:
            return _refused(
                f"which pods will have to be evicted is not known yet: {status.why}", passing=True
            )
        changes: list[Change] = []
        if versions:
            patch = self._inverse(seen, versions, undone)
            changes += [patch, *evictions_of_stuck_pods(seen.workload, seen.pods, patch, kit.clock.now())]
        if scaled:
            template = versions[0].from_template if versions else seen.template
            changes.append(self._scaled_back(scaled, template, undone))
        return Proposal(changes=tuple(changes))

    def _inverse(self, seen: SeenWorkload, changes: Sequence[TemplatePatch], undone: int) -> TemplatePatch:
        """From what is there to what the first of the changes found, with the annotations as they were then."""
        first, last = changes[0], changes[-1]
        current = current_revision(seen.workload, revisions_of(seen.workload, seen.revision_objects))
        here = title(current) if current is not None else last.to_title
        differences = difference(seen.template, first.from_template)
        before: dict[str, str | None] = {}
        set_then: dict[str, str | None] = {}
        for each in changes:
            set_then.update(each.annotations)
        for each in reversed(changes):
            before.update(each.annotations_before)
        return TemplatePatch(
            action=self.key(),
            target=first.target,
            uid=seen.uid,
            from_template=seen.template,
            to_template=first.from_template,
            from_title=here,
            to_title=first.from_title,
            summary=f"undo run {undone}: put {first.target} from {here} to {first.from_title} again: "
            + ("; ".join(differences) or "the templates differ in nothing a person would name"),
            annotations=before,
            annotations_before=set_then,
        )

    def _scaled_back(self, changes: Sequence[Scaling], template: JsonObject, undone: int) -> Scaling:
        """To as many replicas as the first of the changes found."""
        first, last = changes[0], changes[-1]
        return Scaling(
            action=self.key(),
            target=first.target,
            uid=first.uid,
            from_replicas=last.to_replicas,
            to_replicas=first.from_replicas,
            from_template=template,
            restores=True,
            from_title=last.to_title,
            to_title=first.from_title,
            summary=f"undo run {undone}: scale {first.target} from {last.to_title} to {first.from_title} again",
        )


def _superseded(
    seen: SeenWorkload | None, versions: Sequence[TemplatePatch], scaled: Sequence[Scaling], undone: int
) -> str | None:
    """Why the workload is not what the run left, or None when it is."""
    last = [*versions, *scaled][-1]
    if seen is None:
        return f"{last.target} does not exist"
    if seen.uid != last.uid:
        return f"{last.target} was deleted and made anew since run {undone}"
    if versions and revision_hash(seen.template) != versions[-1].to_revision:
        return _changed_since(versions[-1], last_foreign_write(seen.workload), undone)
    if scaled and count(seen.workload, "spec", "replicas") != scaled[-1].to_replicas:
        return _changed_since(scaled[-1], last_scaling(seen.workload), undone)
    if versions and not rolls_by_itself(seen.workload):
        return f"{last.target} has the update strategy OnDelete now: a template put back changes no pod there"
    return None


def _changed_since(last: Change, write: Write | None, undone: int) -> str:
    who = write.manager if write is not None else "somebody"
    when = f" at {write.at:%H:%M:%S}" if write is not None and write.at is not None else ""
    return (
        f"superseded: {who} changed {last.target}{when}, after run {undone} left it at {last.to_title}; "
        "undoing that run now would take back what they did"
    )


def _refused(why: str, *, passing: bool = False) -> Proposal:
    return Proposal(refusal=Refusal(why=why, passing=passing))
