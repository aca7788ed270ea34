"""Nobody's rollout is disturbed while it may still succeed."""

import asyncio
from datetime import timedelta

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change, Eviction, revision_hash
from remediator.domain.duration import Duration
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.rollout_status import RolloutStatus, rollout_status

_LOOKS = 12
_SECONDS_BETWEEN_LOOKS = 0.25


class RolloutInProgress(Guard):
    """Holds while a rollout moves. A stuck one may be rolled back, and restarting it is useless."""

    stuck_after: Duration = timedelta(minutes=3)
    """Pods of the newest revision unready for longer than this make the rollout stuck."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        status = await self._status(run, kit)
        if status is None:
            return self.unknown(f"{run.target} does not exist")
        inputs = {"state": status.state, "rolled_out": status.rolled_out}
        match status.state:
            case "complete":
                return self.allow(status.why, inputs)
            case "stuck":
                return self._stuck(change, status, inputs)
            case "in_progress" if status.rolled_out and status.observed:
                return self.allow(
                    f"the rollout had finished, pods became unready later: {status.why}", inputs
                )
            case "in_progress":
                return self.refuse(f"a rollout is in progress: {status.why}", inputs, passing=True)
            case "paused":
                return self.refuse(f"nothing moves this rollout but a person: {status.why}", inputs)
            case _:
                return self.unknown(f"the rollout's state cannot be told: {status.why}", inputs)

    def _stuck(self, change: Change, status: RolloutStatus, inputs: JsonObject) -> GuardVerdict:
        if isinstance(change, Eviction) and change.completes:
            return self.allow(f"the rollout waits for the pod that is to be evicted: {status.why}", inputs)
        if change.action in ("rollback", "undo"):
            return self.allow(f"the rollout is stuck and may be rolled back: {status.why}", inputs)
        if status.rolled_out:
            return self.allow(f"the rollout had finished, its pods failed later: {status.why}", inputs)
        return self.refuse(f"the rollout is stuck, {change.action} cannot help: {status.why}", inputs)

    async def _status(self, run: RunView, kit: Kit) -> RolloutStatus | None:
        """The rollout's state once the controller has seen the newest generation.

        Our own claim moves metadata.generation, so just after it the controller is always behind for
        a moment (0.07 s in the recordings). A few quick looks keep that from reading as a rollout.
        """
        kube = kit.kube
        for looks_left in reversed(range(_LOOKS)):
            seen = await look_at(kube, run.target)
            if seen is None:
                return None
            status = rollout_status(
                seen.workload, seen.revision_objects, seen.pods, kit.clock.now(), self.stuck_after
            )
            if status.observed or not looks_left:
                return await _remembered(status, seen, run, kit)
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            kube = kit.kube.anew()
        return None


async def _remembered(status: RolloutStatus, seen: SeenWorkload, run: RunView, kit: Kit) -> RolloutStatus:
    """A DaemonSet's own status does not tell that its rollout had finished: our memory may have seen it."""
    if run.target.kind != "daemonset" or status.numbers is None or not status.numbers.replaced:
        return status
    tenures = [each for each in await kit.history.tenures(run.target) if each.uid == seen.uid]
    revision = revision_hash(seen.template)
    had_finished = any(
        each.ended_at is None and each.revision == revision and each.longest_available_seconds > 0
        for each in tenures
    )
    return status.model_copy(update={"rolled_out": status.rolled_out or had_finished})
