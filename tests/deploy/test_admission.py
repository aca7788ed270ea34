"""deploy/admission: what the executor does is let through; what whoever stole its token would try is not.

Asked of another implementation of CEL than the API server's; tests/cluster asks a real one the same.
"""

from typing import Any

import pytest

from remediator.domain.change import ATTEMPT, EPOCH, RESTARTED_AT, ROLLED_BACK_FROM
from tests.deploy.admission import EXECUTOR, LOOK_ONLY, RESTART_ONLY, ROLLBACK_TOO, WRITES, refused
from tests.deploy.manifests import DEPLOY, OVERLAYS, file, find, of_kind, overlay
from tests.deploy.writes import CLAIM, FACES, NOT_A_RESTART, OURS, RESTART, STOLEN, Write, workload


def of_every_kind(*writes: Write) -> pytest.MarkDecorator:
    """Each of these writes to each kind of workload that has such a thing."""
    pairs = [(write, kind) for write in writes for kind in FACES if write.of(kind)]
    return pytest.mark.parametrize(
        ("write", "kind"), pairs, ids=lambda each: each if isinstance(each, str) else each.name
    )


def request(
    operation: str, group: str, resource: str, subresource: str = "", user: str = EXECUTOR
) -> dict[str, Any]:
    asked = {
        "operation": operation,
        "resource": {"group": group, "version": "v1", "resource": resource},
        "userInfo": {"username": user},
    }
    # An API server leaves out what is empty.
    return {**asked, "subResource": subresource} if subresource else asked


def said_to(write: Write, kind: str, *paths: str, user: str = EXECUTOR) -> list[str]:
    before = workload(kind, "shop")
    return refused(request("UPDATE", "apps", FACES[kind], user=user), before, write.done_to(before), paths)


@of_every_kind(*OURS)
def test_what_remediator_writes_is_let_through(write: Write, kind: str) -> None:
    assert said_to(write, kind, WRITES) == []


@pytest.mark.parametrize("write", [CLAIM, RESTART], ids=lambda each: each.name)
def test_a_workload_that_has_no_annotations_and_no_volumes_is_no_exception(write: Write) -> None:
    bare: dict[str, Any] = {
        "metadata": {"name": "web"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "a"}]}}},
    }
    after = {**bare, "metadata": {"name": "web", "annotations": {}}}
    after["spec"] = {"template": {**bare["spec"]["template"], "metadata": {"annotations": {}}}}
    asked = request("UPDATE", "apps", "deployments")
    assert refused(asked, bare, write.done_to(after), (WRITES, RESTART_ONLY)) == []


@pytest.mark.parametrize(
    ("write", "kind"),
    [(write, "Deployment") for write in STOLEN],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_what_a_stolen_token_would_be_used_for_is_refused_with_its_reason(write: Write, kind: str) -> None:
    assert write.refused is not None
    (said,) = said_to(write, kind, WRITES)
    assert write.refused in said


@pytest.mark.parametrize(
    ("operation", "group", "resource", "subresource"),
    [
        ("DELETE", "apps", "deployments", ""),
        ("CREATE", "apps", "deployments", ""),
        ("UPDATE", "apps", "deployments", "scale"),
        ("UPDATE", "apps", "deployments", "status"),
        ("UPDATE", "apps", "replicasets", ""),
        ("UPDATE", "example.io", "deployments", ""),
        ("CREATE", "batch", "jobs", ""),
        ("CREATE", "", "pods", ""),
        ("CONNECT", "", "pods", "exec"),
        ("DELETE", "", "pods", ""),
        ("UPDATE", "", "pods", "ephemeralcontainers"),
        ("CREATE", "", "secrets", ""),
        ("UPDATE", "", "configmaps", ""),
        ("CREATE", "", "serviceaccounts", "token"),
        ("UPDATE", "", "namespaces", ""),
        ("UPDATE", "", "nodes", ""),
        ("UPDATE", "", "events", ""),
        ("CREATE", "rbac.authorization.k8s.io", "rolebindings", ""),
        ("DELETE", "admissionregistration.k8s.io", "validatingwebhookconfigurations", ""),
    ],
)
def test_nothing_else_may_be_written_whatever_rbac_says(
    operation: str, group: str, resource: str, subresource: str
) -> None:
    some = {"metadata": {"name": "some"}}
    (said,) = refused(request(operation, group, resource, subresource), some, some)
    assert "does nothing else" in said


@pytest.mark.parametrize(
    ("group", "resource", "subresource"),
    [
        ("", "events", ""),
        ("", "pods", "eviction"),
        ("authentication.k8s.io", "tokenreviews", ""),
        ("authorization.k8s.io", "selfsubjectrulesreviews", ""),
    ],
)
def test_telling_evicting_and_asking_are_let_through(group: str, resource: str, subresource: str) -> None:
    assert refused(request("CREATE", group, resource, subresource), None, {"metadata": {}}) == []


@of_every_kind(CLAIM, RESTART)
def test_a_restart_is_let_through_where_only_restarts_are(write: Write, kind: str) -> None:
    assert said_to(write, kind, WRITES, RESTART_ONLY) == []


@of_every_kind(*NOT_A_RESTART)
def test_what_is_no_restart_is_refused_where_only_restarts_are(write: Write, kind: str) -> None:
    assert said_to(write, kind, WRITES) == []
    assert any(str(write.refused) in said for said in said_to(write, kind, RESTART_ONLY))


@pytest.mark.parametrize("write", OURS, ids=lambda each: each.name)
def test_nothing_is_let_through_where_it_may_only_look(write: Write) -> None:
    assert said_to(write, "Deployment", LOOK_ONLY) == ["remediator may only look here"]
    eviction = request("CREATE", "", "pods", "eviction")
    assert refused(eviction, None, {"metadata": {}}, (LOOK_ONLY,)) == ["remediator may only look here"]
    assert said_to(write, "Deployment", LOOK_ONLY, user="kim") == []


@of_every_kind(*OURS)
def test_nothing_is_taken_away_where_rollbacks_are_let_through(write: Write, kind: str) -> None:
    assert said_to(write, kind, WRITES, ROLLBACK_TOO) == []
    eviction = request("CREATE", "", "pods", "eviction")
    assert refused(eviction, None, {"metadata": {}}, (WRITES, ROLLBACK_TOO)) == []


def test_an_eviction_is_no_restart() -> None:
    eviction = request("CREATE", "", "pods", "eviction")
    assert refused(eviction, None, {"metadata": {}}, (RESTART_ONLY,)) == [
        "remediator may only restart here, and a restart evicts no pod"
    ]


@pytest.mark.parametrize("write", [*STOLEN, *NOT_A_RESTART], ids=lambda each: each.name)
def test_nobody_else_is_judged(write: Write) -> None:
    assert said_to(write, "Deployment", WRITES, RESTART_ONLY, user="kim") == []


def test_the_annotations_that_are_ours_are_those_the_code_writes() -> None:
    (ours,) = [each["expression"] for each in file(WRITES)[0]["spec"]["variables"] if each["name"] == "ours"]
    assert ours == str([EPOCH, ATTEMPT, ROLLED_BACK_FROM])
    assert RESTARTED_AT in (DEPLOY / RESTART_ONLY).read_text()


def test_the_user_is_the_executors_account() -> None:
    account = find("ServiceAccount", "remediator-executor")["metadata"]
    assert f"system:serviceaccount:{account['namespace']}:{account['name']}" == EXECUTOR


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_denies_and_an_error_denies_as_well(name: str) -> None:
    made = overlay(name)
    bound = {
        each["spec"]["policyName"]: each["spec"] for each in of_kind("ValidatingAdmissionPolicyBinding", made)
    }
    found = of_kind("ValidatingAdmissionPolicy", made)
    assert {each["metadata"]["name"] for each in found} == set(bound)
    assert all(each["spec"]["failurePolicy"] == "Fail" for each in found)
    assert all(set(each) == {"policyName", "validationActions"} for each in bound.values())
    assert set(bound) == {"remediator-writes", "remediator-level"}
    level = {"restart": RESTART_ONLY, "rollback": ROLLBACK_TOO}.get(name, LOOK_ONLY)
    bounds = find("ValidatingAdmissionPolicy", "remediator-level", made)
    # Not the expressions, whose white space kustomize changes.
    assert [each["message"] for each in bounds["spec"]["validations"]] == [
        each["message"] for each in file(level)[0]["spec"]["validations"]
    ]
