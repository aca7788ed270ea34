"""How a person undoes what an attempt changed."""

import re

from remediator.incidents.record import Attempt

_REVISION = re.compile(r"revision (\d+)\b")
_REPLICAS = re.compile(r"(\d+) replicas?")
_EFFECTS = frozenset({"applied", "applied_then_changed", "unknown"})


def how_to_undo(attempt: Attempt) -> str | None:
    """The commands, or why there is none; None when the attempt changed nothing.

    Kubernetes keeps the version that was left under its own revision number, because going back to
    an older one gives that a new number.
    """
    if attempt.outcome not in _EFFECTS:
        return None
    if attempt.action == "restart":
        return "nothing to undo: only the pods are new"
    if attempt.action == "evict_pod":
        return "nothing to undo: the pod is made anew"
    undo = f"remediator runs undo {attempt.run_id}"
    kind, namespace, name = attempt.target.split("/")
    replicas = _REPLICAS.fullmatch(attempt.from_title)
    if replicas is not None:
        by_hand = f"kubectl -n {namespace} scale {kind}/{name} --replicas={replicas.group(1)}"
        return f"{undo}, or by hand: {by_hand}"
    revision = _REVISION.match(attempt.from_title)
    if revision is None:
        return undo
    by_hand = f"kubectl -n {namespace} rollout undo {kind}/{name} --to-revision={revision.group(1)}"
    return f"{undo}, or by hand: {by_hand}"
