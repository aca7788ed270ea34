"""How far a workload's rollout is: complete, in progress, stuck, paused, or not known."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from remediator.domain.duration import format_duration
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, text
from remediator.workloads.revision import Revision, title
from remediator.workloads.revisions import current_revision, revisions_of
from remediator.workloads.rollout_numbers import Numbers, rollout_numbers
from remediator.workloads.stuck_pods import why_stuck

State = Literal["complete", "in_progress", "stuck", "paused", "unknown"]

STUCK_AFTER = timedelta(minutes=3)
"""How long a pod of the newest revision may be unready before the rollout counts as stuck."""


class RolloutStatus(Value):
    """One look at a rollout. Only `complete` says that all is well."""

    state: State
    why: str
    numbers: Numbers | None = None
    """None when they could not be read."""
    rolled_out: bool = False
    """Kubernetes recorded that this very revision was fully available once and its pods are the only ones:
    what is wrong now came after the rollout, not with it."""
    stuck_pods: tuple[str, ...] = ()
    """One sentence for each stuck pod of the newest revision."""

    @property
    def observed(self) -> bool:
        """False while the controller has not seen the latest write; then look again in a moment."""
        return self.numbers is not None and self.numbers.observed


def rollout_status(
    workload: JsonObject,
    revision_objects: Iterable[JsonObject],
    pods: Iterable[JsonObject],
    now: datetime,
    stuck_after: timedelta = STUCK_AFTER,
) -> RolloutStatus:
    """Judge a rollout by the workload, its revisions' objects and its pods, all read at about the same time.

    Complete asks for as many available pods as wanted, whatever maxUnavailable allows. Stuck does not wait
    for a Deployment's own progress deadline, which is ten minutes by default.
    """
    kind, numbers = text(workload, "kind") or "object", rollout_numbers(workload)
    if numbers is None or not isinstance(at(workload, "spec", "template"), dict):
        return RolloutStatus(state="unknown", why=f"The {kind} lacks fields its rollout is judged by.")
    if at(workload, "metadata", "deletionTimestamp") is not None:
        return RolloutStatus(state="unknown", why=f"The {kind} is being deleted.", numbers=numbers)
    if at(workload, "spec", "paused") is True:
        return RolloutStatus(state="paused", why=f"The {kind} is paused.", numbers=numbers)
    if numbers.complete:
        return RolloutStatus(state="complete", why=_all_available(numbers), numbers=numbers, rolled_out=True)
    if not rolls_by_itself(workload):
        why = f"The {kind} has the update strategy OnDelete: its pods stay as they are until somebody deletes them."
        return RolloutStatus(state="paused", why=why, numbers=numbers)
    revisions = revisions_of(workload, revision_objects)
    current = current_revision(workload, revisions)
    if current is None or not (numbers.observed or _is_newest(current, revisions)):
        why = "The controller has not begun to roll out the current template yet."
        return RolloutStatus(state="in_progress", why=why, numbers=numbers)
    blocking = [each for each in pods if current.is_of(each) or waits_for_every_pod(workload)]
    return _incomplete(workload, current, numbers, _stuck(blocking, now, stuck_after))


def fully_available(workload: JsonObject) -> bool:
    """Whether every wanted replica runs the current template and is available, and at least one is wanted."""
    numbers = rollout_numbers(workload)
    if numbers is None or at(workload, "metadata", "deletionTimestamp") is not None:
        return False
    return numbers.complete and 0 < numbers.desired <= numbers.updated


def rolls_by_itself(workload: JsonObject) -> bool:
    """False with the update strategy OnDelete of StatefulSets and DaemonSets: a new template changes no pod."""
    return text(workload, "spec", "updateStrategy", "type") != "OnDelete"


def waits_for_every_pod(workload: JsonObject) -> bool:
    """Whether a broken pod of any revision stops the rollout, so that a template put back is not enough.

    With OrderedReady, the default, the StatefulSet controller replaces nothing while a pod is not ready, even
    when that pod is of a template that was left (recorded; kubernetes/kubernetes#67250).
    """
    return (
        text(workload, "kind") == "StatefulSet"
        and text(workload, "spec", "podManagementPolicy") != "Parallel"
    )


def _all_available(numbers: Numbers) -> str:
    if numbers.desired == 0:
        return "Scaled to zero."
    held = f" {numbers.held_back} of them are held back by the partition." if numbers.held_back else ""
    return f"All {numbers.desired} replicas are available.{held}"


def _incomplete(
    workload: JsonObject, current: Revision, numbers: Numbers, stuck_pods: tuple[str, ...]
) -> RolloutStatus:
    overdue = _past_deadline(workload, current)
    state: State = "in_progress"
    updated = f"{numbers.updated} of {numbers.desired} replicas are of {title(current)}"
    why = f"{updated}, {numbers.available} available in all."
    if stuck_pods:
        more = f" And {len(stuck_pods) - 3} more." if len(stuck_pods) > 3 else ""
        state, why = "stuck", f"Pods of {title(current)} are stuck. {' '.join(stuck_pods[:3])}{more}"
    elif overdue:
        state, why = "stuck", f"{title(current)} made no progress within its progress deadline. {why}"
    elif not numbers.observed:
        seen = f"{numbers.observed_generation} of {numbers.generation}"
        why = f"The controller has seen generation {seen} so far."
    return RolloutStatus(
        state=state,
        why=why,
        numbers=numbers,
        rolled_out=numbers.replaced and _was_available(workload, current),
        stuck_pods=stuck_pods,
    )


def _stuck(pods: Iterable[JsonObject], now: datetime, stuck_after: timedelta) -> tuple[str, ...]:
    found = [why_stuck(pod, now, stuck_after, format_duration(stuck_after)) for pod in pods]
    return tuple(sorted(each for each in found if each is not None))


def _is_newest(current: Revision, revisions: Sequence[Revision]) -> bool:
    """False for a ReplicaSet that is to be taken up again: the controller has not renumbered it yet."""
    return current.number == max(each.number for each in revisions)


def _past_deadline(workload: JsonObject, current: Revision) -> bool:
    """Whether Kubernetes gave up on this very revision; only Deployments have such a deadline.

    The condition of the rollout before stays as it is until a re-used ReplicaSet makes progress; only its
    message tells whose it is (SetDeploymentCondition and syncRolloutStatus of the deployment controller).
    """
    return _progressing(workload, current) == "ProgressDeadlineExceeded"


def _was_available(workload: JsonObject, current: Revision) -> bool:
    """A StatefulSet's controller moves currentRevision up when every pod runs it (completeRollingUpdate).

    A DaemonSet records nothing of the kind.
    """
    if text(workload, "kind") == "StatefulSet":
        return text(workload, "status", "currentRevision") == current.name
    return _progressing(workload, current) == "NewReplicaSetAvailable"


def _progressing(workload: JsonObject, current: Revision) -> str:
    """The reason of the condition Progressing, if it is about this revision."""
    progressing = condition(workload, "Progressing")
    return text(progressing, "reason") if f'"{current.name}"' in text(progressing, "message") else ""
