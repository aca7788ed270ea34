"""What was released together is not rolled back one by one without somebody who knows."""

from datetime import datetime, timedelta
from typing import ClassVar

from remediator.clients.workload import look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, TemplatePatch
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.target import KINDS, Target
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.fields import text
from remediator.workloads.release import release_name, same_release, version_began
from remediator.workloads.revision_objects import KEPT_IN
from remediator.workloads.revisions import current_revision, revisions_of


class Siblings(Guard):
    """Asks before a rollback when other workloads of the same release got a new version with it.

    The same release is the same Helm release or the same `app.kubernetes.io/instance`. Restarts do not count.
    Before an undoing it asks about those that got one since the change to undo: what was released together with the
    version to put back fits it.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "undo"})

    within: Duration = timedelta(minutes=5)
    """So close to the target's rollout another one belongs to it."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if not isinstance(change, TemplatePatch):
            return self.allow("it changes no version")
        seen = await look_at(kit.kube, change.target)
        if seen is None:
            return self.unknown(f"{change.target} does not exist")
        release = release_name(seen.workload)
        if release is None:
            return self.allow("it carries no release that others could share")
        began = await _began(change.target, seen.workload, seen.revision_objects, kit)
        if began is None:
            return self.unknown("when the current rollout began cannot be told yet")
        undoes = change.action == "undo"
        until = None if undoes else began + self.within
        since = began if undoes else began - self.within
        together = []
        for kind in KINDS:
            workloads = await kit.kube.list(kind, change.target.namespace)
            others = [each for each in workloads if same_release(seen.workload, each)]
            together += await _rolled_out((since, until), kind, others, change.target, kit)
        return self._judged(release, began, sorted(together), undoes=undoes)

    def _judged(self, release: str, began: datetime, together: list[str], *, undoes: bool) -> GuardVerdict:
        inputs = {
            "release": release,
            "rollout_began": began.isoformat(),
            "within": format_duration(self.within),
            "together": together,
        }
        if not together:
            when = "since the change to undo" if undoes else "with it"
            return self.allow(f"no other workload of release {release} was rolled out {when}", inputs)
        when = "since the change to undo" if undoes else "at the same time"
        version = "version to put back" if undoes else "earlier version of this one"
        return self.ask(
            f"of release {release} {', '.join(together)} got a new version {when}, and may not work "
            f"with the {version}",
            inputs,
        )


async def _rolled_out(
    between: tuple[datetime, datetime | None], kind: str, others: list[JsonObject], target: Target, kit: Kit
) -> list[str]:
    """Those other than the target that were rolled out between two moments, or since one, as `kind/name`."""
    since, until = between
    others = [each for each in others if (kind, text(each, "metadata", "name")) != (target.kind, target.name)]
    if not others:
        return []
    revision_objects = await kit.kube.list(KEPT_IN[kind], target.namespace)
    found = []
    for workload in others:
        name = text(workload, "metadata", "name")
        other = Target(cluster=target.cluster, kind=kind, namespace=target.namespace, name=name)
        theirs = await _began(other, workload, revision_objects, kit)
        # No revision yet means that its rollout is about to begin.
        if theirs is None or (since <= theirs and (until is None or theirs <= until)):
            found.append(f"{kind}/{name}")
    return found


async def _began(
    target: Target, workload: JsonObject, revision_objects: list[JsonObject], kit: Kit
) -> datetime | None:
    revisions = revisions_of(workload, revision_objects)
    current = current_revision(workload, revisions)
    if current is None:
        return None
    return version_began(workload, current, revisions, await kit.history.tenures(target))
