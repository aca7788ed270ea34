"""How far a Deployment's rollout is: complete, in progress, stuck, paused, or not known."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from remediator.domain.duration import format_duration
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, controller_uid, count, text
from remediator.workloads.revisions import Revision, current_revision, revisions_of, title
from remediator.workloads.stuck_pods import why_stuck

State = Literal["complete", "in_progress", "stuck", "paused", "unknown"]

STUCK_AFTER = timedelta(minutes=3)
"""How long a pod of the newest revision may be unready before the rollout counts as stuck."""


class Numbers(Value):
    """The counts a rollout is judged by, as one reading of the Deployment gives them."""

    desired: int
    replicas: int
    """Pods of all revisions."""
    updated: int
    """Pods of the newest revision."""
    ready: int
    available: int
    generation: int
    observed_generation: int

    @property
    def observed(self) -> bool:
        """Whether the controller has seen the latest write. An annotation is a write too."""
        return self.observed_generation >= self.generation

    @property
    def replaced(self) -> bool:
        """Whether every pod there is runs the newest revision, and there are as many as wanted."""
        return self.updated == self.replicas == self.desired


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
    deployment: JsonObject,
    replica_sets: Iterable[JsonObject],
    pods: Iterable[JsonObject],
    now: datetime,
    stuck_after: timedelta = STUCK_AFTER,
) -> RolloutStatus:
    """Judge a rollout by the Deployment, its ReplicaSets and their pods, all read at about the same time.

    Complete asks for as many available pods as wanted, whatever maxUnavailable allows. Stuck does not wait
    for Kubernetes' own progress deadline, which is ten minutes by default.
    """
    numbers = _numbers(deployment)
    if numbers is None or not isinstance(at(deployment, "spec", "template"), dict):
        return RolloutStatus(state="unknown", why="The Deployment lacks fields its rollout is judged by.")
    if at(deployment, "metadata", "deletionTimestamp") is not None:
        return RolloutStatus(state="unknown", why="The Deployment is being deleted.", numbers=numbers)
    if at(deployment, "spec", "paused") is True:
        return RolloutStatus(state="paused", why="The Deployment is paused.", numbers=numbers)
    if _complete(numbers):
        why = "Scaled to zero." if numbers.desired == 0 else f"All {numbers.desired} replicas are available."
        return RolloutStatus(state="complete", why=why, numbers=numbers, rolled_out=True)
    revisions = revisions_of(deployment, replica_sets)
    current = current_revision(deployment, revisions)
    if current is None or not (numbers.observed or _is_newest(current, revisions)):
        why = "The controller has not begun to roll out the current template yet."
        return RolloutStatus(state="in_progress", why=why, numbers=numbers)
    return _incomplete(deployment, current, numbers, _stuck(current, pods, now, stuck_after))


def fully_available(deployment: JsonObject) -> bool:
    """Whether every wanted replica runs the current template and is available, and at least one is wanted."""
    numbers = _numbers(deployment)
    if numbers is None or at(deployment, "metadata", "deletionTimestamp") is not None:
        return False
    return numbers.desired > 0 and _complete(numbers)


def _complete(numbers: Numbers) -> bool:
    return numbers.observed and numbers.replaced and numbers.available >= numbers.desired


def _incomplete(
    deployment: JsonObject, current: Revision, numbers: Numbers, stuck_pods: tuple[str, ...]
) -> RolloutStatus:
    overdue = _past_deadline(deployment, current)
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
        rolled_out=numbers.replaced and _was_available(deployment, current),
        stuck_pods=stuck_pods,
    )


def _stuck(
    current: Revision, pods: Iterable[JsonObject], now: datetime, stuck_after: timedelta
) -> tuple[str, ...]:
    found = [
        why_stuck(pod, now, stuck_after, format_duration(stuck_after))
        for pod in pods
        if controller_uid(pod) == current.replica_set_uid
    ]
    return tuple(sorted(each for each in found if each is not None))


def _is_newest(current: Revision, revisions: Sequence[Revision]) -> bool:
    """False for a ReplicaSet that is to be taken up again: the controller has not renumbered it yet."""
    return current.number == max(each.number for each in revisions)


def _past_deadline(deployment: JsonObject, current: Revision) -> bool:
    """Whether Kubernetes gave up on this very revision.

    The condition of the rollout before stays as it is until a re-used ReplicaSet makes progress; only its
    message tells whose it is (SetDeploymentCondition and syncRolloutStatus of the deployment controller).
    """
    progressing = condition(deployment, "Progressing")
    named = f'"{current.replica_set}"' in text(progressing, "message")
    return named and text(progressing, "reason") == "ProgressDeadlineExceeded"


def _was_available(deployment: JsonObject, current: Revision) -> bool:
    progressing = condition(deployment, "Progressing")
    named = f'"{current.replica_set}"' in text(progressing, "message")
    return named and text(progressing, "reason") == "NewReplicaSetAvailable"


def _numbers(deployment: JsonObject) -> Numbers | None:
    """The counts, or None when one is missing or malformed. Status leaves out those that are zero."""
    status = at(deployment, "status")
    if not isinstance(status, dict):
        return None
    fields = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
    counted = [count({name: 0} | status, name) for name in fields]
    wanted = (count(deployment, "spec", "replicas"), count(deployment, "metadata", "generation"))
    return _read((*wanted, *counted))


def _read(counts: Sequence[int | None]) -> Numbers | None:
    whole = [each for each in counts if each is not None]
    if len(whole) != len(counts):
        return None
    desired, generation, replicas, updated, ready, available, observed = whole
    return Numbers(
        desired=desired,
        replicas=replicas,
        updated=updated,
        ready=ready,
        available=available,
        generation=generation,
        observed_generation=observed,
    )
