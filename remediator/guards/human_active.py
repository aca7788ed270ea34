"""People who are at work on a target are not interrupted."""

from datetime import datetime, timedelta

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import ATTEMPT, EPOCH, Change, Eviction, Scaling
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.fields import text
from remediator.workloads.recorded_replicas import LastSet, last_set
from remediator.workloads.revisions import current_revision, revisions_of
from remediator.workloads.writers import people_at_work

_OF_THE_ROLLOUT = timedelta(seconds=10)
"""Pipelines often write twice, and Kubernetes stamps in whole seconds: what follows this closely made it."""

_SEEN_LATE = timedelta(minutes=5)
"""So much later our memory may see what we set ourselves."""

_OF_A_RIVAL = (
    "of an attempt this database does not know: another remediator changed it, or this database lost commits. "
    f"When no other can act any more, remove the annotations {ATTEMPT} and {EPOCH}"
)


class HumanActive(Guard):
    """Holds while somebody else wrote the spec after the rollout that is judged began.

    The write that made the rollout does not count, unless it is newer than the alert (or than a person's asking for
    the run): that is a fix. A later
    write by its manager does, were it of metadata alone: there is one time for all a manager owns. Status,
    subresources, autoscalers, Kubernetes' controllers, scaling, restarts and our own writes never count; before more
    replicas for a load, a number that somebody else has just set does. What set the number that is to be put back
    does not.
    A marker that is not of our database refuses for good.
    """

    quiet: Duration = timedelta(minutes=30)
    """This long after the last write people are no longer at work."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        seen = await look_at(kit.kube, change.target)
        if seen is None:
            return self.unknown(f"{change.target} does not exist")
        began = await self._began(seen, run, kit)
        if began is None:
            return self.unknown("when the current rollout began cannot be told yet")
        marker = text(seen.workload, "metadata", "annotations", ATTEMPT)
        ours_at = await kit.history.attempted_at(run.target, marker) if marker else None
        if marker and ours_at is None:
            return self.refuse(f"it carries the marker {marker} {_OF_A_RIVAL}", {"marker": marker})
        if isinstance(change, Scaling):
            number = last_set(await kit.history.replica_counts(change.target), change.uid)
            since = self._number_began(number, change, ours_at, kit.clock.now())
            if isinstance(since, GuardVerdict):
                return since
            # The write that is to be taken back is no sign of others, and a person agrees to that.
            began = max(began, since) if change.restores else began
        completes = isinstance(change, Eviction) and change.completes
        if ours_at is not None and (completes or change.action == "undo"):
            # What this plan, or the run to be undone, has begun is no rollout of somebody's.
            began = max(began, ours_at)
        cause_began = run.alert.starts_at if run.alert is not None else run.created_at
        return self.judged(seen.workload, began, cause_began, kit.clock.now())

    def judged(
        self, workload: JsonObject, began: datetime, cause_began: datetime, now: datetime
    ) -> GuardVerdict:
        """The verdict on a workload whose current rollout began at `began`.

        `cause_began` is when the alert began to fire, or a person asked for the run.
        """
        since = self.since(began, cause_began)
        inputs = {"since": since.isoformat(), "quiet": format_duration(self.quiet)}
        try:
            write = people_at_work(workload, since, now, self.quiet)
        except ValueError as reason:
            return self.unknown(f"whether people are at work cannot be told: {reason}", inputs)
        if write is None or write.at is None:
            return self.allow("nobody else wrote the spec after the rollout began", inputs)
        found = {"manager": write.manager, "at": write.at.isoformat(), "fields": list(write.fields)}
        return self.refuse(
            f"people may be at work: {write.manager}, which owns spec.{', spec.'.join(write.fields)}, wrote it "
            f"last at {write.at:%H:%M:%S}, perhaps only its metadata; it is asked again until "
            f"{format_duration(self.quiet)} have passed",
            {**inputs, **found},
            passing=True,
        )

    def _number_began(
        self, number: LastSet | None, change: Scaling, ours_at: datetime | None, now: datetime
    ) -> datetime | GuardVerdict:
        """Since when the number of replicas is wanted; a refusal where somebody else has just set it for a load.

        Managed fields do not tell when: they keep one time for all that a manager owns. So a number that our memory
        has not seen may be a moment old, also one that is to be put back.
        """
        if number is None or number.replicas != change.from_replicas:
            return self.unknown(f"since when {change.from_title} are wanted is not seen yet by our memory")
        began = number.began_at
        ours = ours_at is not None and timedelta(0) <= began - ours_at < _SEEN_LATE
        if change.restores or number.before is None or ours or now - began >= self.quiet:
            return began
        return self.refuse(
            f"people may be at work: {number.replicas} replicas are wanted since about {began:%H:%M:%S}, and "
            f"{number.before} were before; it is asked again until {format_duration(self.quiet)} have passed",
            {"since": began.isoformat(), "quiet": format_duration(self.quiet)},
            passing=True,
        )

    @staticmethod
    def since(began: datetime, cause_began: datetime) -> datetime:
        """What was written later shows people at work; see `judged`."""
        return min(began + _OF_THE_ROLLOUT, cause_began)

    async def _began(self, seen: SeenWorkload, run: RunView, kit: Kit) -> datetime | None:
        """When the current template's rollout began; a restart of the same version begins it again."""
        current = current_revision(seen.workload, revisions_of(seen.workload, seen.revision_objects))
        if current is None:
            return None
        tenures = [each for each in await kit.history.tenures(run.target) if each.uid == seen.uid]
        if tenures and tenures[-1].revision == current.hash and tenures[-1].began_seen:
            return max(current.created_at, tenures[-1].began_at)
        return current.created_at
