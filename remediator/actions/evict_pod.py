"""Evict one pod that is not ready, so that its controller makes it anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from remediator.clients.workload import look_at
from remediator.domain.answers import Proposal, Refusal
from remediator.domain.change import Eviction, exact_hash
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Action
from remediator.workloads.consent import why_ask
from remediator.workloads.fields import at, condition, text
from remediator.workloads.stuck_pods import unready_since

_SHOWN = 5
_ENDED = ("Succeeded", "Failed")


class EvictPod(Action):
    """Evicts the pod that the alert names, else the only one of the target that is not ready, by its uid.

    Never a pod that is ready, and never a second one: what ails several pods lies in none of them. PodDisruptionBudgets
    are kept; a no of theirs stops the run. What is evicted cannot be put back: nothing of it is undone.
    """

    unready_for: Duration = timedelta(minutes=3)
    """A pod that became unready more recently may become ready by itself."""

    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return _refused(f"{run.target} does not exist")
        staying = [each for each in seen.pods if not _leaves(each)]
        pod = self._which(run, staying, kit.clock.now())
        if isinstance(pod, Refusal):
            return Proposal(refusal=pod)
        name = text(pod, "metadata", "name")
        change = Eviction(
            action=self.key(),
            target=run.target,
            uid=seen.uid,
            pod=name,
            pod_uid=text(pod, "metadata", "uid"),
            from_exact=exact_hash(seen.template),
            from_title=f"pod {name}, not ready",
            to_title=f"{name} made anew",
            summary=f"evict {name} of {run.target}, which is not ready, so that it is made anew",
            ask_because=why_ask(seen.workload),
            caveats=(f"what is only in {name} itself, its logs and its scratch volumes, goes with it",),
        )
        return Proposal(changes=(change,))

    def _which(self, run: RunView, pods: Sequence[JsonObject], now: datetime) -> JsonObject | Refusal:
        """The one pod to evict, or why there is none."""
        named = _named_by(run)
        if named is not None:
            return self._judged(_of_name(pods, named), named, run, now)
        unready = sorted((each for each in pods if not _ready(each)), key=_name)
        if not unready:
            return Refusal(why=f"no pod of {run.target} is unready", passing=True)
        if len(unready) > 1:
            names = ", ".join(map(_name, unready[:_SHOWN]))
            return Refusal(
                why=f"{len(unready)} pods of {run.target} are not ready ({names}) and the alert names none: what "
                "ails them all lies in none of them"
            )
        return self._judged(unready[0], _name(unready[0]), run, now)

    def _judged(self, pod: JsonObject | None, name: str, run: RunView, now: datetime) -> JsonObject | Refusal:
        if pod is None:
            return Refusal(why=f"{name}, which the alert names, is no pod of {run.target} any more")
        since = unready_since(pod)
        if _ready(pod) or since is None:
            return Refusal(why=f"{name} is ready: a pod that serves is not evicted")
        if now - since < self.unready_for:
            shown = format_duration(self.unready_for)
            return Refusal(why=f"{name} has been unready for less than {shown}", passing=True)
        return pod


def _named_by(run: RunView) -> str | None:
    """The pod that the alert means; with an `exported_` label there, `pod` is the exporter's own."""
    labels = run.alert.labels if run.alert is not None else {}
    exported = any(each.startswith("exported_") for each in labels)
    return labels.get("exported_pod" if exported else "pod") or None


def _of_name(pods: Sequence[JsonObject], name: str) -> JsonObject | None:
    return next((each for each in pods if _name(each) == name), None)


def _name(pod: JsonObject) -> str:
    return text(pod, "metadata", "name")


def _ready(pod: JsonObject) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def _leaves(pod: JsonObject) -> bool:
    """It has ended, or is going away: its controller makes another by itself."""
    return at(pod, "metadata", "deletionTimestamp") is not None or text(pod, "status", "phase") in _ENDED


def _refused(why: str) -> Proposal:
    return Proposal(refusal=Refusal(why=why))
