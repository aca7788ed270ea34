"""What a reading source may answer, and what it may ask."""

from dataclasses import dataclass
from typing import TypeAlias

from remediator.clients.kube_read import KubeReader
from remediator.domain.answers import Refusal
from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value
from remediator.planning.targets.subject import Subject
from remediator.store.database import Database


class Found(Value):
    """A workload that exists."""

    target: Target
    uid: str
    how: str
    """What led to it, as a sentence without its full stop."""
    containers: frozenset[str]
    """Names of all containers of its template, those that only initialise included."""
    selector: dict[str, str] | None = None
    """The labels that select its pods; None when labels alone do not."""
    on_pod: frozenset[str] = frozenset()
    """Names of the containers of the pod that led to it: admission may have added some."""

    @property
    def said(self) -> str:
        """As people call it."""
        return f"{self.target.kind} {self.target.name}"


class Candidates(Value):
    """Everything a label leads to: one workload, or several and what else there is."""

    found: tuple[Found, ...]
    others: tuple[str, ...] = ()
    """What is no workload and yet is meant as well, as sentences."""


class Absent(Value):
    """The label leads nowhere, which says nothing against what a stronger label leads to."""

    why: str


Answer: TypeAlias = Candidates | Absent | Refusal
"""A Refusal stands whatever other labels say."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where sources look: one namespace of our cluster, and what we remember of it."""

    cluster: str
    namespace: str
    kube: KubeReader
    database: Database
    subject: Subject


def container_names(pod_spec: JsonObject) -> frozenset[str]:
    """The names of a pod's or a template's containers of every sort."""
    sorts = ("containers", "initContainers", "ephemeralContainers")
    return frozenset(str(each.get("name")) for sort in sorts for each in pod_spec.get(sort) or [])
