"""Which workload an alert meant, as far as its labels, `targets:` and a past look say. Pure.

As `planning/resolve` has it, but for what only the cluster knows: that the workload is there. What an alert's pod,
Service or ReplicaSet led to is taken from whoever looked when it fired.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from remediator.domain.answers import Refusal
from remediator.domain.target import KINDS, Target, misnamed
from remediator.planning.targets.agree import nothing_named
from remediator.planning.targets.subject import Subject, subject_of
from remediator.rulebook.rule import RuleTarget

_NOT_NAMED = Refusal(why="its labels name no workload")


class Meant(NamedTuple):
    """The workload, and what it needs as `targets:` says."""

    target: Target
    depends_on: tuple[str, ...]


def meant_by(
    labels: Mapping[str, str], entries: Sequence[RuleTarget], looked_up: str | None, cluster: str
) -> Meant | Refusal:
    """The workload; a refusal says why there is none, and is passing when the cluster would have known."""
    subject = subject_of(labels)
    if isinstance(subject, Refusal):
        return subject
    labelled = _labelled(subject, looked_up)
    if isinstance(labelled, Refusal):
        return labelled
    candidates = list(dict.fromkeys([*(each.target for each in entries), *labelled]))
    if len(candidates) > 1:
        return Refusal(why=f"two candidates: {' and '.join(candidates)}")
    if not candidates:
        return _nowhere(subject)
    needs = tuple(dict.fromkeys(need for each in entries for need in each.depends_on))
    try:
        return Meant(Target.parse(candidates[0], cluster), needs)
    except ValueError as reason:
        return Refusal(why=str(reason))


def named_by(labels: Mapping[str, str], cluster: str) -> Meant | Refusal:
    """The workload of an alert that no rule matches: nobody looks it up, so its labels have to name it."""
    for kind in KINDS:
        namespace, name = labels.get("namespace", ""), labels.get(kind, "")
        if name and misnamed(kind, namespace, name) is None:
            return Meant(Target(cluster=cluster, kind=kind, namespace=namespace, name=name), ())
    return _NOT_NAMED


def _labelled(subject: Subject, looked_up: str | None) -> list[str] | Refusal:
    """What the labels lead to: the workload they name, else what was found by them when the alert fired.

    Where they name nothing, what was found then was found by an entry of `targets:`, and there may be another now.
    """
    if subject.workload is not None and subject.namespace is not None:
        kind, name = subject.workload
        if kind not in KINDS:
            return Refusal(why=f"it is about {kind} {name}, which remediator does not change")
        return [f"{kind}/{subject.namespace}/{name}"]
    return [looked_up] if looked_up is not None and subject.names_an_object() else []


def _nowhere(subject: Subject) -> Refusal:
    if not subject.names_an_object():
        return nothing_named(subject)
    if subject.namespace is None:
        return Refusal(why="the alert names something but no namespace, and none is ever assumed")
    return Refusal(why="what its labels lead to was not looked up when it fired", passing=True)
