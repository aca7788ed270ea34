"""What an action proposes to change: absolute values, from what to what."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from remediator.domain.target import Target
from remediator.domain.value import JsonObject, Value, digest

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The template annotation `kubectl rollout restart` sets; a restart by us sets the same one."""

EPOCH = "remediator.io/epoch"
"""Annotation on a target: the fencing number of the last claim."""

ATTEMPT = "remediator.io/attempt"
"""Annotation on a target: the marker of the last effect, `run/rung/action`."""

ROLLED_BACK_FROM = "remediator.io/rolled-back-from"
"""Annotation on a target, for pipelines: the revision hash a rollback left behind."""

_NOT_A_VERSION = {"annotations": frozenset({RESTARTED_AT}), "labels": frozenset({"pod-template-hash"})}


def revision_hash(template: JsonObject) -> str:
    """Names a version: restart stamps and pod-template-hash do not count."""
    return digest(_without(template, _NOT_A_VERSION))[:16]


def exact_hash(template: JsonObject) -> str:
    """Names a template exactly, restart stamp included; pod-template-hash is the controllers', not the template's."""
    return digest(_without(template, {"labels": frozenset({"pod-template-hash"})}))[:16]


def _without(template: JsonObject, dropped: dict[str, frozenset[str]]) -> JsonObject:
    """A copy without the dropped metadata keys, without empty maps and without null fields of metadata."""
    metadata = {}
    for field, value in (template.get("metadata") or {}).items():
        kept = value
        if isinstance(value, dict):
            kept = {key: each for key, each in value.items() if key not in dropped.get(field, ())}
        if kept:
            metadata[field] = kept
    return {**template, "metadata": metadata}


class _Change(Value):
    """What every change says of itself."""

    action: str
    """Which action of the catalogue proposed it."""
    target: Target
    uid: str
    """The target's uid when proposed; another object under the same name is another target."""
    from_title: str
    """For people: `revision 8 (app:v42)`."""
    to_title: str
    summary: str
    """One sentence: what changes."""
    ask_because: tuple[str, ...] = ()
    """Why a person has to agree first; empty when the daemon may act by itself."""
    caveats: tuple[str, ...] = ()
    """What could not be observed and should be known by whoever reads the plan."""


class TemplatePatch(_Change):
    """Replace the pod template of one workload, if it is still the template we looked at."""

    kind: Literal["patch"] = "patch"
    from_template: JsonObject
    to_template: JsonObject
    annotations: dict[str, str | None] = Field(default_factory=dict)
    """Annotations of ours set on the workload together with the template; None takes one away."""
    annotations_before: dict[str, str | None] = Field(default_factory=dict)
    """What these annotations held; None where they were not there."""

    @property
    def from_revision(self) -> str:
        return revision_hash(self.from_template)

    @property
    def to_revision(self) -> str:
        return revision_hash(self.to_template)

    @property
    def from_exact(self) -> str:
        return exact_hash(self.from_template)

    @property
    def to_exact(self) -> str:
        return exact_hash(self.to_template)

    @property
    def digest(self) -> str:
        """What an approval or an attempt is bound to."""
        return digest(
            [self.action, str(self.target), self.target.cluster, self.uid, self.from_exact, self.to_exact]
        )


class Eviction(_Change):
    """Evict one pod of the target, by its uid, so that the controller makes it anew.

    Kubernetes' Eviction API keeps to PodDisruptionBudgets; a pod is never deleted past them.
    """

    kind: Literal["evict"] = "evict"
    action: str = "evict_pod"
    pod: str
    pod_uid: str
    from_exact: str
    """exact_hash the target's template must have: what the pod will be made anew from."""
    completes: bool = False
    """Whether it finishes what an earlier change of the same plan has begun."""

    @property
    def from_revision(self) -> str:
        return f"pod/{self.pod_uid}"

    @property
    def to_revision(self) -> str:
        return "evicted"

    @property
    def digest(self) -> str:
        """What an approval or an attempt is bound to."""
        return digest(
            [self.action, str(self.target), self.target.cluster, self.uid, self.pod_uid, self.from_exact]
        )


class Scaling(_Change):
    """Set how many replicas one workload wants, if it still wants as many as when we looked."""

    kind: Literal["scale"] = "scale"
    from_replicas: int = Field(ge=0)
    to_replicas: int = Field(ge=0)
    from_template: JsonObject
    """The target's template: what the new pods will be made from."""
    restores: bool = False
    """Whether it takes back what somebody has set, rather than giving a load more pods."""

    @property
    def from_revision(self) -> str:
        return f"replicas/{self.from_replicas}"

    @property
    def to_revision(self) -> str:
        return f"replicas/{self.to_replicas}"

    @property
    def from_exact(self) -> str:
        return exact_hash(self.from_template)

    @property
    def digest(self) -> str:
        """What an approval or an attempt is bound to."""
        counts = [self.from_replicas, self.to_replicas]
        return digest(
            [self.action, str(self.target), self.target.cluster, self.uid, *counts, self.from_exact]
        )


Change = Annotated[TemplatePatch | Eviction | Scaling, Field(discriminator="kind")]
"""Every kind of change there is."""


def new_versions(changes: Sequence[Change]) -> list[TemplatePatch]:
    """Those of the changes that set another version."""
    return [
        each for each in changes if isinstance(each, TemplatePatch) and each.from_revision != each.to_revision
    ]


def scalings(changes: Sequence[Change]) -> list[Scaling]:
    """Those of the changes that set another number of replicas."""
    return [each for each in changes if isinstance(each, Scaling)]


def nothing_to_undo(changes: Sequence[Change]) -> str | None:
    """Why there is nothing to undo of these changes, all of which took effect; None when there is something."""
    if new_versions(changes) or scalings(changes):
        return None
    if not changes:
        return "nothing to undo: it changed nothing"
    if any(isinstance(each, TemplatePatch) for each in changes):
        return "nothing to undo: it only restarted pods, the version is the same"
    return "nothing to undo: it only evicted a pod, which was made anew"
