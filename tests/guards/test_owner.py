"""owner: who applies a workload, told by any one sign, and what that means for a rollback and for a restart."""

from typing import Any

import pytest

from remediator.guards.owner import Owner
from remediator.workloads.owners import owners_of
from remediator.workloads.writers import appliers
from tests.guards.changes import a_change, a_scaling

TRACKING = "argocd.argoproj.io/tracking-id"
RELEASE = "meta.helm.sh/release-name"


def workload(
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    managers: tuple[str, ...] = (),
    owner: dict[str, Any] | None = None,
    subresource: str = "",
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": "api",
        "namespace": "shop",
        "labels": labels,
        "annotations": annotations,
    }
    metadata["managedFields"] = [
        {"manager": each, "operation": "Apply", "subresource": subresource, "fieldsV1": {"f:spec": {}}}
        for each in managers
    ]
    metadata["ownerReferences"] = [owner] if owner else []
    return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata}


def controlled_by(kind: str, api_version: str, controller: bool = True) -> dict[str, Any]:
    reference = {
        "kind": kind,
        "apiVersion": api_version,
        "name": "shop",
        "uid": "u9",
        "controller": controller,
    }
    return workload(owner=reference)


TABLE = {
    "nothing": (workload(), "allow", "allow", "nothing but people"),
    "Helm": (
        workload({"app.kubernetes.io/managed-by": "Helm"}, {RELEASE: "shop"}),
        "allow",
        "allow",
        "Helm release shop",
    ),
    "Helm, label alone": (
        workload({"app.kubernetes.io/managed-by": "Helm"}),
        "allow",
        "allow",
        "Helm release",
    ),
    "Helm, annotation alone": (workload(annotations={RELEASE: "shop"}), "allow", "allow", "release shop"),
    "Helm, manager alone": (workload(managers=("helm",)), "allow", "allow", "Helm release"),
    "instance label alone": (workload({"app.kubernetes.io/instance": "shop"}), "allow", "allow", "people"),
    "Argo CD": (
        workload(annotations={TRACKING: "shop:apps/Deployment:shop/api"}),
        "refuse",
        "allow",
        "application shop would undo this",
    ),
    "Argo CD, unreadable tracking": (workload(annotations={TRACKING: "x"}), "refuse", "allow", "Argo CD"),
    "tracking id of another object": (
        workload(annotations={TRACKING: "shop:apps/Deployment:shop/web"}),
        "allow",
        "allow",
        "people",
    ),
    "Argo CD, label and manager": (
        workload({"app.kubernetes.io/instance": "shop"}, managers=("argocd-controller",)),
        "refuse",
        "allow",
        "application shop",
    ),
    "Argo CD, manager alone": (
        workload(managers=("argocd-application-controller",)),
        "refuse",
        "allow",
        "Argo CD",
    ),
    "Argo CD, its own label alone": (
        workload({"argocd.argoproj.io/instance": "shop"}),
        "refuse",
        "allow",
        "application shop",
    ),
    "Argo CD without self-heal": (
        workload(
            annotations={
                TRACKING: "shop:apps/Deployment:shop/api",
                "remediator.io/argocd-self-heal": "false",
            }
        ),
        "ask",
        "allow",
        "next sync",
    ),
    "self-heal said to be true": (
        workload(managers=("argocd-controller",), annotations={"remediator.io/argocd-self-heal": "true"}),
        "refuse",
        "allow",
        "Argo CD",
    ),
    "Argo CD that renders a chart": (
        workload({"app.kubernetes.io/managed-by": "Helm"}, managers=("argocd-controller",)),
        "refuse",
        "allow",
        "Argo CD",
    ),
    "Flux": (
        workload(
            {
                "kustomize.toolkit.fluxcd.io/name": "shop",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            }
        ),
        "refuse",
        "allow",
        "Flux Kustomization flux-system/shop",
    ),
    "Flux, one label": (
        workload({"kustomize.toolkit.fluxcd.io/name": "shop"}),
        "refuse",
        "allow",
        "shop would",
    ),
    "Flux, manager alone": (workload(managers=("kustomize-controller",)), "refuse", "allow", "Kustomization"),
    "Flux, not reconciled": (
        workload(
            {"kustomize.toolkit.fluxcd.io/name": "shop"},
            {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"},
        ),
        "ask",
        "allow",
        "Flux Kustomization shop",
    ),
    "Flux's Helm": (
        workload(
            {"app.kubernetes.io/managed-by": "Helm", "helm.toolkit.fluxcd.io/name": "api"}, {RELEASE: "api"}
        ),
        "refuse",
        "allow",
        "Flux HelmRelease api",
    ),
    "Flux's Helm, manager alone": (workload(managers=("helm-controller",)), "refuse", "allow", "HelmRelease"),
    "only a status of Argo CD": (
        workload(managers=("argocd-controller",), subresource="status"),
        "allow",
        "allow",
        "people",
    ),
    "an Argo Rollout": (controlled_by("Rollout", "argoproj.io/v1alpha1"), "refuse", "refuse", "Rollout shop"),
    "a Flagger Canary": (controlled_by("Canary", "flagger.app/v1beta1"), "refuse", "refuse", "Canary shop"),
    "an operator": (controlled_by("Shop", "example.com/v1"), "refuse", "ask", "Shop shop (example.com/v1)"),
    "an owner that controls nothing": (
        controlled_by("Shop", "example.com/v1", controller=False),
        "ask",
        "allow",
        "Shop shop",
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_each_sign_of_an_owner_decides_for_rollback_and_restart(case: str) -> None:
    found, rollback, restart, sentence = TABLE[case]
    owners = owners_of(found)
    judged = Owner().judged(owners, a_change())
    assert judged.answer == rollback, judged.why
    assert sentence in judged.why
    assert Owner().judged(owners, a_change("restart")).answer == restart
    assert not judged.passing


def reference(kind: str, name: str, field: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop"},
        "spec": {field: {"apiVersion": "apps/v1", "kind": kind, "name": name}},
    }


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [("Deployment", "api", "refuse"), ("Deployment", "web", "allow"), ("StatefulSet", "api", "allow")],
)
def test_a_rollout_or_a_canary_that_points_at_it_refuses_by_name(kind: str, name: str, answer: str) -> None:
    by_rollout = owners_of(workload(), rollouts=[reference(kind, name, "workloadRef")])
    by_canary = owners_of(workload(), canaries=[reference(kind, name, "targetRef")])
    for owners, title in ((by_rollout, "Argo Rollout shop"), (by_canary, "Flagger Canary shop")):
        for action in ("rollback", "restart"):
            judged = Owner().judged(owners, a_change(action))
            assert judged.answer == answer
            assert answer == "allow" or title in judged.why


def test_what_is_handed_over_says_what_to_revert() -> None:
    flux = workload({"kustomize.toolkit.fluxcd.io/name": "shop"})
    assert (
        "Revert in Git: revision 2 (app:v2) -> revision 1 (app:v1)"
        in Owner().judged(owners_of(flux), a_change()).why
    )


def test_a_rollback_of_a_chart_says_that_the_next_upgrade_reapplies() -> None:
    judged = Owner().judged(owners_of(workload(annotations={RELEASE: "shop"})), a_change())
    assert "with the next upgrade" in " ".join(judged.caveats)


@pytest.mark.parametrize(
    "metadata", [{}, {"labels": []}, {"annotations": {"a": 1}}, {"managedFields": [None, {}]}]
)
def test_malformed_metadata_is_nobodys(metadata: dict[str, Any]) -> None:
    assert owners_of({"kind": "Deployment", "metadata": {"name": "api", **metadata}}) == ()


def applied(manager: str, spec: dict[str, Any], operation: str = "Apply") -> dict[str, Any]:
    found = workload()
    entry = {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": spec}}
    found["metadata"]["managedFields"] = [entry]
    return found


IMAGE: dict[str, Any] = {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}}


@pytest.mark.parametrize(
    ("found", "warned"),
    [
        (applied("kubectl", IMAGE), ["kubectl"]),
        (applied("helm", IMAGE), ["helm"]),
        (applied("kubectl", IMAGE, "Update"), []),
        (applied("kubectl", {"f:replicas": {}}), []),
        (applied("remediator", IMAGE), []),
        (applied("argocd-controller", IMAGE), []),
        (applied("kustomize-controller", IMAGE), []),
    ],
    ids=["kubectl", "Helm 4", "no apply", "no template", "ourselves", "Argo CD forces", "Flux forces"],
)
def test_a_rollback_says_whose_next_server_side_apply_may_conflict(
    found: dict[str, Any], warned: list[str]
) -> None:
    owners = owners_of(found)
    told = " ".join(Owner().judged(owners, a_change(), appliers(found)).caveats)
    assert ("--force-conflicts" in told) is bool(warned)
    assert all(f"{each} deploys by server-side apply" in told for each in warned)
    assert Owner().judged(owners, a_change("restart"), appliers(found)).caveats == ()


def test_who_is_asked_is_told_of_the_conflict_too() -> None:
    found = applied("kubectl", IMAGE)
    found["metadata"]["ownerReferences"] = [
        {"kind": "Shop", "apiVersion": "example.com/v1", "name": "shop", "controller": False}
    ]
    judged = Owner().judged(owners_of(found), a_change(), appliers(found))
    assert judged.answer == "ask"
    assert "kubectl deploys by server-side apply" in " ".join(judged.caveats)


def test_replicas_are_set_in_git_as_a_version_is_reverted_there() -> None:
    flux = owners_of(workload({"kustomize.toolkit.fluxcd.io/name": "shop"}))
    verdict = Owner().judged(flux, a_scaling(1, 3))
    assert verdict.answer == "refuse"
    assert "Set it in Git: 1 replicas -> 3 replicas" in verdict.why
    helm = owners_of(workload({"meta.helm.sh/release-name": "shop"}))
    assert Owner().judged(helm, a_scaling(1, 3)).answer == "allow"
