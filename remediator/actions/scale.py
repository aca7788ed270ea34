"""Give a workload more replicas: as many as were recorded, or a bounded step for a load."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from remediator.domain.answers import Evidence, Proposal, Refusal
from remediator.domain.change import Scaling
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Action
from remediator.workloads.consent import why_ask
from remediator.workloads.fields import count
from remediator.workloads.recorded_replicas import Recorded, recorded_replicas

_MOST = 1000
"""More replicas than this are no repair."""


class Scale(Action):
    """Sets more replicas, and never fewer: neither to zero nor from zero to a number that a rule names.

    `scale` alone puts back the number that our memory saw last for as long as `steady`, where somebody has set a
    lower one since; a person has to agree, as it takes back what somebody did. `scale: {by: 2, up_to: 8}` gives a
    load that many more, up to a most.
    """

    by: int | None = Field(default=None, strict=True, ge=1, le=100)
    """So many more than there are wanted now. Without it, back to as many as were recorded."""
    up_to: int | None = Field(default=None, strict=True, ge=1, le=_MOST)
    """Never more than this, whatever is recorded or wanted; `by` needs it."""
    steady: Duration = timedelta(hours=1)
    """A number that was wanted for so long is what the workload is meant to have."""
    max_age: Duration = Field(default=timedelta(days=14), le=timedelta(days=30))
    """A number that was last wanted longer ago than this is not gone back to."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.by is not None and self.up_to is None:
            raise ValueError("by needs up_to: the most replicas that a load may lead to")
        return self

    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        target = run.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return _refused(f"{target} does not exist")
        wanted = count(workload, "spec", "replicas")
        if target.kind == "daemonset" or wanted is None:
            return _refused(f"{target} wants no number of replicas: it has a pod on each of its nodes")
        if self.by is not None:
            return self._more(run, workload, wanted, self.by, self.up_to or wanted)
        found = await kit.history.replica_counts(target)
        recorded = recorded_replicas(
            found, workload["metadata"]["uid"], kit.clock.now(), self.steady, self.max_age
        )
        return self._back(run, workload, wanted, recorded)

    def _more(self, run: RunView, workload: JsonObject, wanted: int, by: int, most: int) -> Proposal:
        """A step up, for a load."""
        if wanted == 0:
            return _refused(f"{run.target} is scaled to 0: somebody switched it off, which no load did")
        if wanted >= most:
            return _refused(f"{run.target} wants {wanted} replicas already, and the rule's most is {most}")
        after = min(wanted + by, most)
        why = (
            f"scale {run.target} from {_title(wanted)} to {after}: {after - wanted} more, {most} at the most"
        )
        return Proposal(changes=(self._change(run, workload, wanted, after, why),))

    def _back(self, run: RunView, workload: JsonObject, wanted: int, recorded: Recorded | None) -> Proposal:
        """Back to what was recorded, where fewer are wanted now."""
        steady = format_duration(self.steady)
        if recorded is None:
            return _refused(
                f"how many replicas {run.target} is meant to have is not recorded: our memory saw no number "
                f"wanted for {steady} in the last {format_duration(self.max_age)}"
            )
        lasted = (
            f"{_title(recorded.replicas)} were wanted from {recorded.began_at:%Y-%m-%d %H:%M} to "
            f"{recorded.ended_at:%Y-%m-%d %H:%M} UTC"
        )
        evidence = (
            Evidence(step="recorded_replicas", summary=lasted, details=recorded.model_dump(mode="json")),
        )
        if recorded.replicas <= wanted:
            why = f"{run.target} wants {_title(wanted)}, no fewer than were recorded: {lasted}"
            return _refused(why, evidence)
        if self.up_to is not None and recorded.replicas > self.up_to:
            return _refused(f"{lasted}, more than the {self.up_to} that the rule allows", evidence)
        why = f"scale {run.target} from {_title(wanted)} back to the {recorded.replicas} that were recorded: {lasted}"
        # Its sentence may not move from look to look: people agree to it.
        ask = f"somebody scaled it down to {wanted}, and may have meant to"
        return Proposal(
            changes=(self._change(run, workload, wanted, recorded.replicas, why, ask),), evidence=evidence
        )

    def _change(
        self, run: RunView, workload: JsonObject, before: int, after: int, summary: str, *ask_because: str
    ) -> Scaling:
        databases = f" of {', '.join(run.depends_on)}" if run.depends_on else ""
        return Scaling(
            action=self.key(),
            target=run.target,
            uid=workload["metadata"]["uid"],
            from_replicas=before,
            to_replicas=after,
            from_template=workload["spec"]["template"],
            restores=self.by is None,
            from_title=_title(before),
            to_title=_title(after),
            summary=summary,
            ask_because=(*why_ask(workload), *ask_because),
            caveats=(f"whether the connection limits{databases} leave room for {after - before} more pods",),
        )


def _title(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"


def _refused(why: str, evidence: tuple[Evidence, ...] = ()) -> Proposal:
    return Proposal(refusal=Refusal(why=why), evidence=evidence)
