"""A schema that was migrated with the release may not fit the version before it."""

from datetime import datetime, timedelta
from typing import ClassVar

from remediator.clients.schema_version import SchemaVersion
from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, TemplatePatch
from remediator.domain.duration import Duration
from remediator.domain.history import Tenure
from remediator.domain.run_view import RunView
from remediator.errors import RemediatorError
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.migrations import MigrationJob, migrating_containers, migration_jobs
from remediator.workloads.revisions import revisions_of, stretches


class Migration(Guard):
    """Waits for a migration that runs, and asks when one was made since the version to put back was current.

    Migrations are Jobs of the same release, Jobs the workload names in `remediator.io/migration-job`, and
    init containers that look like it; where a database is configured, another version of its schema than in
    that version's time. Nothing is ever migrated back by this daemon.

    An undoing puts back what was there until a change of ours, which no Job came before, and whose own migration
    is no sign against it: only what was migrated since counts, and the schema it was last seen with.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "undo"})

    before_rollout: Duration = timedelta(minutes=30)
    """A release's Job may run this long before its rollout."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if not isinstance(change, TemplatePatch):
            return self.allow("it changes no version")
        seen = await look_at(kit.kube, change.target)
        if seen is None:
            return self.unknown(f"{change.target} does not exist")
        jobs = migration_jobs(seen.workload, await kit.kube.list("job", change.target.namespace))
        containers = migrating_containers(change.from_template, change.to_template)
        tenures = [
            each
            for each in await kit.history.tenures(change.target)
            if (each.uid, each.revision) == (seen.uid, change.to_revision)
        ]
        revisions = revisions_of(seen.workload, seen.revision_objects)
        ends = [each.ended_at for each in tenures if each.ended_at is not None]
        ends += [each.ended_at for each in stretches(revisions) if each.hash == change.to_revision]
        known = ends or [each.created_at for each in revisions if each.hash == change.to_revision]
        undoes = change.action == "undo"
        schemas = [
            await _compared(schema, tenures, kit, undoes=undoes)
            for schema in kit.schemas
            if schema.serves(change.target)
        ]
        moved = tuple(each for each in schemas if each is not None)
        return self.judged(jobs, containers, max(known, default=None), moved, undoes=undoes)

    def judged(
        self,
        jobs: tuple[MigrationJob, ...],
        containers: tuple[str, ...],
        left_at: datetime | None,
        schemas: tuple[str, ...] = (),
        *,
        undoes: bool = False,
    ) -> GuardVerdict:
        """The verdict when the version to go to was last the current one until `left_at`.

        `schemas` are sentences about databases that are not known to be as they were then.
        """
        running = sorted(each.name for each in jobs if each.ended_at is None)
        if running:
            return self.refuse(
                f"Job {', '.join(running)} of the same release runs: a migration may be under way",
                {"running": running},
                passing=True,
            )
        version = "version to put back" if undoes else "earlier version"
        if jobs and left_at is None:
            return self.unknown(f"when the {version} was last the current one cannot be told")
        lead = timedelta(0) if undoes else self.before_rollout
        since = left_at - lead if left_at is not None else None
        ended = sorted(
            each.name for each in jobs if since is not None and each.ended_at and each.ended_at > since
        )
        ran = "has run since it was replaced" if undoes else "ran with or after the release that followed it"
        signs = [f"Job {each} {ran}" for each in ended]
        signs += [f"init container {each} migrates" for each in containers]
        signs += schemas
        inputs = {"since": since.isoformat() if since else None, "signs": signs}
        if not signs:
            return self.allow(f"no sign of a migration since the {version} was current", inputs)
        return self.ask(f"the {version} may not run on today's schema: {'; '.join(signs)}", inputs)


async def _compared(
    schema: SchemaVersion, tenures: list[Tenure], kit: Kit, *, undoes: bool = False
) -> str | None:
    """Why the schema may not be as it was in that version's time; None when it never was another.

    A release migrates before its rollout, hence still in the time of the version before it: one other
    head anywhere in that time is enough to ask. What an undoing puts back was followed by no release.
    """
    try:
        head = await schema.head()
    except RemediatorError as reason:
        return f"its schema cannot be read ({reason.sentence})"
    seen: list[str] = []
    if tenures:
        until = tenures[-1].ended_at or tenures[-1].last_seen_at
        seen = await kit.history.schema_heads(schema.name, tenures[-1].began_at, until)
    if not seen:
        return f"the schema of {schema.name} was not seen in that version's time"
    other = [each for each in (seen[-1:] if undoes else seen) if each != head]
    return f"the schema of {schema.name} is at {head}, and was at {other[0]} then" if other else None
