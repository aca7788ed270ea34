"""The API server, its rights and its clock."""

import pytest

from remediator.doctor.clock import _judged
from remediator.doctor.kubernetes import pod_security
from remediator.domain.rights import ALL, EVERYWHERE, IN_A_NAMESPACE, Right
from remediator.sandbox.kubernetes import AccessRule
from remediator.sandbox.kubernetes.faults import AnswerStatus, Fault
from tests.doctor.installation import Installation, allowed, namespace
from tests.support.story import deployment

LIST_PODS, GET_LOGS = Right("list", "", "pods"), Right("get", "", "pods/log")
PATCH, TELL = Right("patch", "apps", "deployments"), Right("create", "", "events")
ACTING = [each.right for each in IN_A_NAMESPACE if each.to == "act"]
PATCH_SETS = [Right("patch", "apps", f"{kind}s") for kind in ("statefulset", "daemonset")]


async def test_a_right_that_is_missing_is_named_with_the_file_that_grants_it(
    installation: Installation,
) -> None:
    installation.grant(but=[LIST_PODS, PATCH])
    status, found = await installation.found()
    assert found["rights"] == [
        (
            "failed",
            "in namespace shop: list pods is refused",
            "kubectl apply -n shop -k deploy/namespace/observe",
        ),
        (
            "failed",
            "in namespace shop: patch deployments.apps is refused",
            "kubectl apply -n shop -k deploy/namespace/rollback",
        ),
    ]
    assert status == 1


@pytest.mark.parametrize(("level", "weak"), [("restricted", False), ("baseline", True), (None, True)])
def test_the_namespace_we_run_in_should_let_only_restricted_pods_in(level: str | None, weak: bool) -> None:
    labels = {} if level is None else {"pod-security.kubernetes.io/enforce": level}
    found = pod_security({"metadata": {"name": "ours", "labels": labels}})
    assert (found is not None) == weak
    assert found is None or (found.level, str(level) in found.saw) == ("warning", True)


async def test_every_namespace_that_opted_in_is_asked_and_no_other(installation: Installation) -> None:
    installation.emulator.create(namespace("web"))
    installation.emulator.create(namespace("private", opted_in=False))
    found = await installation.finds("rights")
    assert [each.saw.partition(":")[0] for each in found] == ["in namespace web"] * 2
    assert (await installation.finds("namespaces"))[0].saw == "opted in: shop, web"


async def test_rights_that_no_loaded_rule_needs_may_be_missing(installation: Installation) -> None:
    rules = (installation.directory / "rules.yaml").read_text()
    (installation.directory / "rules.yaml").write_text(rules.replace("logs, ", ""))
    installation.grant(but=[GET_LOGS])
    assert [each.level for each in await installation.finds("rights")] == ["ok"]


async def test_a_kind_that_opts_in_by_itself_needs_the_right_to_be_changed_only_where_one_has(
    installation: Installation,
) -> None:
    installation.grant(but=PATCH_SETS)
    assert [each.level for each in await installation.finds("rights")] == ["ok"]
    pod = deployment("db:v1")["spec"]
    stateful = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop", "labels": {}},
        "spec": {"serviceName": "db", **pod},
    }
    installation.emulator.create(stateful)
    assert [each.level for each in await installation.finds("rights")] == ["ok"]
    mark = {"metadata": {"labels": {"remediator.io/enabled": "act"}}}
    installation.emulator.patch("statefulsets", "shop", "db", mark, user="somebody", manager="kubectl")
    (missing,) = await installation.finds("rights")
    assert missing[:2] == ("failed", "in namespace shop: patch statefulsets.apps is refused")


@pytest.mark.parametrize("ceiling", ["off", "shadow"])
async def test_a_daemon_that_only_looks_needs_no_right_to_act_and_should_not_have_it(
    installation: Installation, ceiling: str
) -> None:
    installation.settings["ceiling"] = ceiling
    installation.grant(but=ACTING)
    assert [each.level for each in await installation.finds("rights")] == ["ok"]
    installation.grant()
    (fine, early) = await installation.finds("rights")
    assert fine.level == "ok"
    assert early == (
        "warning",
        f"it may change things in shop, which the ceiling {ceiling} never needs",
        "kubectl -n shop delete rolebinding remediator-act, until it is to act",
    )


@pytest.mark.parametrize(
    ("right", "within", "said"),
    [
        (Right("get", "", "secrets"), "shop", "it may get secrets in shop"),
        (Right("list", "", "secrets"), "*", "it may list secrets in shop"),
        (Right("create", "", "pods"), "shop", "it may create pods in shop"),
        (Right("create", "", "pods/exec"), "shop", "it may create pods/exec in shop"),
        (Right("delete", "apps", "deployments"), "shop", "it may delete deployments.apps in shop"),
        (Right("delete", "", "namespaces"), "*", "it may delete namespaces in the whole cluster"),
        (
            Right("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
            "*",
            "it may create clusterrolebindings.rbac.authorization.k8s.io in the whole cluster",
        ),
        (ALL, "shop", "it may do everything in shop"),
        (ALL, "*", "it may do everything in the cluster"),
    ],
)
async def test_a_dangerous_right_is_a_warning_and_nothing_is_changed_with_it(
    installation: Installation, right: Right, within: str, said: str
) -> None:
    installation.grant(*allowed([right], within))
    status, found = await installation.found()
    (warned,) = [each for each in found["rights"] if each.level == "warning"]
    assert warned.saw.startswith(said)
    assert warned.do
    assert {each.level for each in found["more_rights"]} == {"failed"}
    assert status == 1


async def test_without_the_right_to_read_namespaces_what_cannot_be_known_is_said(
    installation: Installation,
) -> None:
    installation.grant(but=[Right("get", "", "namespaces"), Right("list", "", "namespaces")])
    status, found = await installation.found()
    (missing, unasked) = found["rights"]
    assert missing[:2] == ("failed", "in the whole cluster: get namespaces, list namespaces is refused")
    assert unasked.level == "unknown"
    (cluster,) = found["cluster"]
    assert (cluster.level, cluster.do) == ("unknown", "kubectl apply -k deploy/cluster")
    assert "403" in cluster.saw
    assert status == 1


async def test_namespaces_named_in_the_settings_have_to_opt_in_too(installation: Installation) -> None:
    installation.emulator.create(namespace("private", opted_in=False))
    installation.settings["kubernetes"]["namespaces"] = ["shop", "private", "nowhere"]
    installation.grant(but=[Right("list", "", "namespaces")])
    (fine, without) = await installation.finds("namespaces")
    assert fine.saw == "opted in: shop"
    assert without.level == "warning"
    assert "private, nowhere" in without.saw
    assert [each.level for each in await installation.finds("rights")] == ["ok"]


async def test_an_answer_that_is_no_review_is_no_right(installation: Installation) -> None:
    answer = AnswerStatus(500, "InternalError")
    installation.emulator.faults.add(Fault("POST", "/selfsubjectaccessreviews$", answer, times=None))
    (only,) = await installation.finds("rights")
    assert only.level == "unknown"
    assert "answered 500" in only.saw


def test_clocks_that_differ_are_told_in_seconds() -> None:
    assert _judged("the other", 2.9).level == "ok"
    assert _judged("the other", -10).saw == "the other clock is 10 s ahead of ours"
    assert _judged("the other", -10).level == "warning"
    assert _judged("the other", 31).level == "failed"


def test_every_right_says_what_it_is_for() -> None:
    assert all(each.why for each in IN_A_NAMESPACE)
    assert str(GET_LOGS) == "get pods/log"
    assert str(PATCH) == "patch deployments.apps"
    assert AccessRule(("get",), ("",), ("pods/log",)).allows(*GET_LOGS, "shop", "")


async def test_without_the_right_to_list_webhooks_it_says_what_is_lost(installation: Installation) -> None:
    webhooks = [each.right for each in EVERYWHERE if each.without is not None]
    assert [each.verb for each in webhooks] == ["list", "list"]
    installation.grant(but=webhooks)
    lost, rest = await installation.finds("rights")
    assert (lost.level, rest.level) == ("warning", "ok")
    assert "what is behind an admission webhook is protected only where it has a known name" in lost.saw
    assert lost.do == "kubectl apply -k deploy/cluster"


async def test_rights_to_review_users_are_needed_only_where_users_of_kubernetes_are_let_in(
    installation: Installation,
) -> None:
    installation.grant(but=[each.right for each in EVERYWHERE if each.setting is not None])
    assert [each.level for each in await installation.finds("rights")] == ["ok"]
    installation.settings["kubernetes_people"] = {}
    missing = (await installation.finds("rights"))[0]
    assert missing.level == "failed"
    assert "create tokenreviews.authentication.k8s.io" in missing.saw
    assert "create subjectaccessreviews.authorization.k8s.io" in missing.saw
    assert missing.do == "kubectl apply -f deploy/people/reviews.yaml"
