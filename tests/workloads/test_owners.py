"""Who applies a workload, from what the tools really left on objects of a real API server."""

from datetime import UTC, datetime, timedelta

import pytest

from remediator.workloads.owners import owners_of
from remediator.workloads.writers import last_foreign_write, people_at_work
from tests.workloads.recorded import body, exchanges

OWNERSHIP = "ownership-metadata"


@pytest.mark.parametrize(
    ("recorded", "kind", "title"),
    [
        ("helm: create", "helm", "Helm release api"),
        ("argo cd: after rollout", "argocd", "Argo CD application shop"),
        ("flux: server-side apply by kustomize-controller", "flux", "Flux Kustomization flux-system/shop"),
        ("flux helm: labels of helm-controller", "flux", "Flux HelmRelease shop/api"),
    ],
)
def test_what_the_tools_really_leave_is_recognised(recorded: str, kind: str, title: str) -> None:
    strictest = owners_of(body(OWNERSHIP, recorded))[0]
    assert (strictest.kind, strictest.title) == (kind, title)


def test_what_is_left_when_managed_fields_are_cleared_is_enough() -> None:
    (flux,) = owners_of(body(OWNERSHIP, "managedFields cleared"))
    assert (flux.kind, flux.puts_back) == ("flux", False)


@pytest.mark.parametrize(
    ("recorded", "manager"),
    [
        ("kubectl edit: PUT of the whole object", "kubectl-edit"),
        ("argo cd: forced apply puts it back (self-heal)", "argocd-controller"),
        ("remediator: rollback by json patch", "argocd-controller"),
        ("after scale: managedFields has subresource scale", "argocd-controller"),
    ],
)
def test_the_last_writer_of_a_template_but_ourselves_is_named(recorded: str, manager: str) -> None:
    write = last_foreign_write(body(OWNERSHIP, recorded))
    assert write is not None
    assert write.manager == manager


def test_a_scale_and_our_own_rollback_show_nobody_at_work() -> None:
    before = datetime(2026, 11, 23, 7, 32, 35, tzinfo=UTC)
    now, quiet = before + timedelta(minutes=1), timedelta(minutes=30)
    rolled_back = body(OWNERSHIP, "remediator: rollback by json patch")
    assert people_at_work(rolled_back, before, now, quiet) is None
    edited = people_at_work(body(OWNERSHIP, "after the edit"), before, now, quiet)
    assert edited is not None
    assert edited.manager == "kubectl-edit"


def test_a_server_side_apply_that_changed_no_value_shows_nobody_at_work() -> None:
    applied = exchanges("kubectl-other")[8]["response"]["body"]
    made = datetime(2026, 11, 23, 7, 45, 23, tzinfo=UTC)
    quiet = timedelta(minutes=30)
    assert people_at_work(applied, made, made + timedelta(minutes=5), quiet) is None
    before = people_at_work(applied, made - timedelta(seconds=1), made + timedelta(minutes=5), quiet)
    assert before is not None
    assert before.manager == "kubectl-client-side-apply"
