"""A schema that was migrated with the release may not fit the version before it."""

from datetime import datetime, timedelta
from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Eviction
from remediator.domain.duration import Duration
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.migrations import MigrationJob, migrating_containers, migration_jobs
from remediator.workloads.revisions import revisions_of, stretches


class Migration(Guard):
    """Waits for a migration that runs, and asks when one was made since the earlier version was current.

    Migrations are Jobs of the same release, Jobs the workload names in `remediator.io/migration-job`, and
    init containers that look like it. Nothing is ever migrated back by this daemon.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback"})

    before_rollout: Duration = timedelta(minutes=30)
    """A release's Job may run this long before its rollout."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if isinstance(change, Eviction):
            return self.allow("an eviction changes no version")
        seen = await look_at(kit.kube, change.target)
        if seen is None:
            return self.unknown(f"{change.target} does not exist")
        jobs = migration_jobs(seen.workload, await kit.kube.list("job", change.target.namespace))
        containers = migrating_containers(change.from_template, change.to_template)
        tenures = [each for each in await kit.history.tenures(change.target) if each.uid == seen.uid]
        ends = [each.ended_at for each in tenures if each.revision == change.to_revision]
        revisions = revisions_of(seen.workload, seen.revision_objects)
        ends += [each.ended_at for each in stretches(revisions) if each.hash == change.to_revision]
        known = [each for each in ends if each is not None]
        known = known or [each.created_at for each in revisions if each.hash == change.to_revision]
        return self.judged(jobs, containers, max(known, default=None))

    def judged(
        self, jobs: tuple[MigrationJob, ...], containers: tuple[str, ...], left_at: datetime | None
    ) -> GuardVerdict:
        """The verdict when the version to go to was last the current one until `left_at`."""
        running = sorted(each.name for each in jobs if each.ended_at is None)
        if running:
            return self.refuse(
                f"Job {', '.join(running)} of the same release runs: a migration may be under way",
                {"running": running},
                passing=True,
            )
        if jobs and left_at is None:
            return self.unknown("when the earlier version was last the current one cannot be told")
        since = left_at - self.before_rollout if left_at is not None else None
        ended = sorted(
            each.name for each in jobs if since is not None and each.ended_at and each.ended_at > since
        )
        inputs = {"since": since.isoformat() if since else None, "jobs": ended, "init_containers": containers}
        signs = [f"Job {each}" for each in ended] + [f"init container {each}" for each in containers]
        if not signs:
            return self.allow("no sign of a migration since the earlier version was current", inputs)
        return self.ask(
            f"the schema may have been migrated since by {', '.join(signs)}: somebody has to know that the earlier "
            "version runs on it",
            inputs,
        )
