"""Who applies a workload besides people with kubectl: Helm, Argo CD, Flux, Argo Rollouts, Flagger, operators.

Recognised by labels, annotations, ownerReferences and managedFields alone, any one of which is enough: a
label may have been stripped and managedFields may have been cleared.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, objects, text
from remediator.workloads.writers import managers

SELF_HEAL = "remediator.io/argocd-self-heal"
"""Annotation on a workload: `false` is its team's word that Argo CD does not put back what drifts from Git."""

RELEASE = "meta.helm.sh/release-name"
"""Annotation by Helm 3 on everything it installs."""

INSTANCE = "app.kubernetes.io/instance"
"""Recommended label; what charts set to the release's name, and Argo CD to the Application's."""

_ARGOCD_TRACKING = "argocd.argoproj.io/tracking-id"
_ARGOCD_INSTANCE = "argocd.argoproj.io/instance"
_TRACKING_ID = re.compile(r"(?P<app>[^:]+):[^:]*/(?P<kind>[^:/]+):(?P<namespace>[^:/]*)/(?P<name>[^:/]+)")
"""`<application>:<group>/<kind>:<namespace>/<name>` (Argo CD, docs/user-guide/resource_tracking.md)."""

_FLUX_PARTS = {
    "kustomize.toolkit.fluxcd.io": ("Kustomization", "kustomize-controller"),
    "helm.toolkit.fluxcd.io": ("HelmRelease", "helm-controller"),
}
_FLUX_DISABLED = "kustomize.toolkit.fluxcd.io/reconcile"

OwnerKind = Literal["helm", "argocd", "flux", "argo_rollouts", "flagger", "controller", "other_owner"]


class FoundOwner(Value):
    """Something that applies a workload, and may apply it again."""

    kind: OwnerKind
    title: str
    """For people: `Helm release api`, `Argo CD application shop`, `Kustomization flux-system/shop of Flux`."""
    found_by: tuple[str, ...]
    """What it was recognised by."""
    puts_back: bool = True
    """It undoes by itself what others change; where that cannot be told it is taken for granted."""


def owners_of(
    workload: JsonObject, rollouts: Iterable[JsonObject] = (), canaries: Iterable[JsonObject] = ()
) -> tuple[FoundOwner, ...]:
    """Every owner that can be recognised, the strictest first.

    `rollouts` and `canaries` are the Argo Rollouts and Flagger Canaries of the workload's namespace: a
    Deployment they point at carries no sign of it itself.
    """
    found = (
        *_pointing_at(workload, rollouts, canaries),
        *_controllers(workload),
        _flux(workload),
        _argocd(workload),
        _helm(workload),
    )
    return tuple(each for each in found if each is not None)


def _pointing_at(
    workload: JsonObject, rollouts: Iterable[JsonObject], canaries: Iterable[JsonObject]
) -> Iterator[FoundOwner]:
    for rollout in rollouts:
        if _names(at(rollout, "spec", "workloadRef"), workload):
            name = text(rollout, "metadata", "name")
            yield FoundOwner(
                kind="argo_rollouts", title=f"Argo Rollout {name}", found_by=("spec.workloadRef",)
            )
    for canary in canaries:
        if _names(at(canary, "spec", "targetRef"), workload):
            name = text(canary, "metadata", "name")
            yield FoundOwner(kind="flagger", title=f"Flagger Canary {name}", found_by=("spec.targetRef",))


def _names(reference: object, workload: JsonObject) -> bool:
    """Whether a reference within the namespace means this workload."""
    return (text(reference, "kind"), text(reference, "name")) == (
        text(workload, "kind"),
        text(workload, "metadata", "name"),
    )


def _controllers(workload: JsonObject) -> Iterator[FoundOwner]:
    for reference in objects(workload, "metadata", "ownerReferences"):
        kind, name, version = (text(reference, field) for field in ("kind", "name", "apiVersion"))
        found_by = (f"ownerReferences {kind}/{name}",)
        if kind == "Rollout" and version.startswith("argoproj.io/"):
            yield FoundOwner(kind="argo_rollouts", title=f"Argo Rollout {name}", found_by=found_by)
        elif kind == "Canary" and version.startswith("flagger.app/"):
            yield FoundOwner(kind="flagger", title=f"Flagger Canary {name}", found_by=found_by)
        elif at(reference, "controller") is True:
            yield FoundOwner(kind="controller", title=f"{kind} {name} ({version})", found_by=found_by)
        else:
            yield FoundOwner(kind="other_owner", title=f"{kind} {name} ({version})", found_by=found_by)


def _flux(workload: JsonObject) -> FoundOwner | None:
    labels = _map(workload, "labels")
    for prefix, (kind, manager) in _FLUX_PARTS.items():
        found_by = [f"label {each}" for each in sorted(labels) if each.startswith(f"{prefix}/")]
        found_by += [f"field manager {each}" for each in managers(workload) if each == manager]
        if not found_by:
            continue
        where = f"{labels.get(f'{prefix}/namespace', '')}/{labels.get(f'{prefix}/name', '')}".strip("/")
        disabled = "disabled" in (
            _map(workload, each).get(_FLUX_DISABLED) for each in ("labels", "annotations")
        )
        return FoundOwner(
            kind="flux",
            title=f"Flux {kind} {where}".strip(),
            found_by=tuple(found_by),
            puts_back=not (disabled and kind == "Kustomization"),
        )
    return None


def _argocd(workload: JsonObject) -> FoundOwner | None:
    labels, annotations = _map(workload, "labels"), _map(workload, "annotations")
    writing = [each for each in managers(workload) if each.startswith("argocd")]
    found_by = [f"field manager {each}" for each in writing]
    name = labels.get(INSTANCE, "") if writing else ""
    if _ARGOCD_INSTANCE in labels:
        found_by.append(f"label {_ARGOCD_INSTANCE}")
        name = labels[_ARGOCD_INSTANCE]
    if _ARGOCD_TRACKING in annotations:
        tracked = _TRACKING_ID.fullmatch(annotations[_ARGOCD_TRACKING])
        # Argo CD leaves alone what carries the tracking id of another object: it was copied from there.
        if tracked is None or _is(tracked, workload):
            found_by.append(f"annotation {_ARGOCD_TRACKING}")
            name = tracked["app"] if tracked is not None else name
    if not found_by:
        return None
    return FoundOwner(
        kind="argocd",
        title=f"Argo CD application {name}".strip(),
        found_by=tuple(found_by),
        puts_back=annotations.get(SELF_HEAL) != "false",
    )


def _is(tracked: re.Match[str], workload: JsonObject) -> bool:
    of = (text(workload, "kind"), text(workload, "metadata", "namespace"), text(workload, "metadata", "name"))
    return (tracked["kind"], tracked["namespace"] or of[1], tracked["name"]) == of


def _helm(workload: JsonObject) -> FoundOwner | None:
    release = _map(workload, "annotations").get(RELEASE)
    found_by = [f"annotation {RELEASE}"] if release is not None else []
    if _map(workload, "labels").get("app.kubernetes.io/managed-by") == "Helm":
        found_by.append("label app.kubernetes.io/managed-by")
    found_by += [f"field manager {each}" for each in managers(workload) if each == "helm"]
    if not found_by:
        return None
    name = release or _map(workload, "labels").get(INSTANCE, "")
    return FoundOwner(
        kind="helm", title=f"Helm release {name}".strip(), found_by=tuple(found_by), puts_back=False
    )


def _map(workload: JsonObject, field: str) -> dict[str, str]:
    """The labels or annotations; whatever is no text is left out."""
    found = at(workload, "metadata", field)
    return (
        {key: value for key, value in found.items() if isinstance(value, str)}
        if isinstance(found, dict)
        else {}
    )
