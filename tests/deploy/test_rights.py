"""What the daemon may do in a cluster is what it does: nothing is missing, and nothing is granted beside."""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import pytest

from remediator.catalogue import PROCEDURES
from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_resource import (
    MUTATING_WEBHOOKS,
    NAMESPACE,
    NODE,
    VALIDATING_WEBHOOKS,
    Resource,
    resource,
)
from remediator.clients.kube_review import KubeReviewer
from remediator.clients.kube_watch import KubeWatcher
from remediator.clients.kube_write import KubeWriter
from remediator.domain.rights import (
    DANGEROUS_EVERYWHERE,
    DANGEROUS_IN_A_NAMESPACE,
    EVERYWHERE,
    IN_A_NAMESPACE,
    Right,
)
from remediator.domain.target import KINDS
from remediator.memory.picture import FOLLOWED
from remediator.people.kubernetes import GROUP, RESOURCE, VERBS
from remediator.rulebook.shape import STEPS
from remediator.sandbox.kubernetes import AccessRule, Account
from remediator.step import DatabaseDiagnostic
from remediator.store import runs
from remediator.workloads.revision_objects import KEPT_IN
from tests.deploy.manifests import (
    LEVELS,
    OVERLAYS,
    ROOT,
    Manifest,
    file,
    namespace_of,
    of_kind,
    overlay,
)
from tests.support.clock import DrivenClock
from tests.support.standing_still import annotate, listed
from tests.support.story import ROLLBACK, Story, told

INSIDE: set[Right] = {each.right for each in IN_A_NAMESPACE}
CLUSTER_WIDE: set[Right] = {each.right for each in EVERYWHERE}


def _group(kind: str) -> str:
    return resource(kind).api_version.rpartition("/")[0]


def _list_all(what: Resource) -> Right:
    return Right("list", what.api_version.rpartition("/")[0], what.plural)


CLIENTS = {"kube", "_kube", "reader", "_reader", "watcher", "_watcher", "writer", "_writer", "_reviewer"}
"""What the product calls its Kubernetes clients."""

OF_METHOD: dict[str, Callable[[str], Right]] = {
    "get": lambda kind: Right("get", _group(kind), resource(kind).plural),
    "list": lambda kind: Right("list", _group(kind), resource(kind).plural),
    "listing": lambda kind: Right("list", _group(kind), resource(kind).plural),
    "watch": lambda kind: Right("watch", _group(kind), resource(kind).plural),
    "logs": lambda _: Right("get", _group("pod"), f"{resource('pod').plural}/log"),
    "namespace": lambda _: Right("get", "", NAMESPACE.plural),
    "node": lambda _: Right("get", "", NODE.plural),
    "validating_webhooks": lambda _: _list_all(VALIDATING_WEBHOOKS),
    "mutating_webhooks": lambda _: _list_all(MUTATING_WEBHOOKS),
    "namespaces": lambda _: Right("list", "", NAMESPACE.plural),
    "patch": lambda kind: Right("patch", _group(kind), resource(kind).plural),
    "evict": lambda _: Right("create", _group("pod"), f"{resource('pod').plural}/eviction"),
    "review_token": lambda _: Right("create", "authentication.k8s.io", "tokenreviews"),
    "review_access": lambda _: Right("create", "authorization.k8s.io", "subjectaccessreviews"),
    "create_event": lambda _: Right("create", _group("event"), resource("event").plural),
}


ASKS_NOTHING = {"one_look", "anew"}
"""These give a reader; what is asked with it is found as with any other."""

OF_NO_CONSTANT: dict[str, tuple[str, ...]] = {
    "list": (*KINDS, *KEPT_IN.values()),
    "listing": FOLLOWED,
    "watch": FOLLOWED,
}
"""The kinds a method is called with where the call does not name one; of the others those of targets."""


def used() -> set[Right]:
    """Every right a call in the product needs.

    A kind that is no constant is a target's, or of its revisions, or one the memory follows.
    """
    found: set[Right] = set()
    for path in sorted((ROOT / "remediator").rglob("*.py")):
        if "sandbox" not in path.parts:
            for method, kinds in _calls(ast.parse(path.read_text())):
                found |= {OF_METHOD[method](kind) for kind in kinds}
    return found


def _calls(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in OF_METHOD and _name(node.func.value) in CLIENTS:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and node.func.attr in ("get", "list", "patch"):
                yield node.func.attr, (str(first.value),)
            else:
                yield node.func.attr, OF_NO_CONSTANT.get(node.func.attr, KINDS)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


EXECUTOR = [{"kind": "ServiceAccount", "name": "remediator-executor", "namespace": "remediator"}]
"""Whoever is given a right."""


def granted(made: Sequence[Manifest]) -> set[Right]:
    """Every right of the roles in these manifests, each bound to the executor and to nobody else."""
    roles = {(each["kind"], each["metadata"]["name"]): each for each in made if each["kind"].endswith("Role")}
    bindings = [each for each in made if each["kind"].endswith("Binding") and "roleRef" in each]
    assert {(each["roleRef"]["kind"], each["roleRef"]["name"]) for each in bindings} == set(roles)
    assert all(each["subjects"] == EXECUTOR for each in bindings)
    return {right for each in roles.values() for right in _rights(each)}


def _rights(role: Manifest) -> set[Right]:
    rights = [
        Right(verb, group, each)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for each in rule["resources"]
    ]
    assert len(rights) == len(set(rights)), "something is granted twice"
    assert all(set(rule) == {"verbs", "apiGroups", "resources"} for rule in role["rules"])
    return set(rights)


def rules(rights: set[Right], namespace: str) -> list[AccessRule]:
    return [AccessRule((verb,), (group,), (each,), (namespace,)) for verb, group, each in sorted(rights)]


def test_every_way_to_ask_and_to_change_is_known_here() -> None:
    public = {
        name
        for client in (KubeReader, KubeWatcher, KubeWriter, KubeReviewer)
        for name, _ in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_")
    }
    assert public - ASKS_NOTHING == set(OF_METHOD)


@pytest.mark.parametrize(
    ("right", "facts"),
    [
        (Right("get", "", "configmaps"), "backup."),
        (Right("list", "autoscaling", "horizontalpodautoscalers"), ("autoscaler.", "target.autoscaler")),
        (Right("list", "keda.sh", "scaledobjects"), "target.autoscaler"),
        (Right("list", "", "services"), "target.health"),
    ],
    ids=str,
)
def test_a_rule_that_hands_a_procedure_over_needs_what_its_facts_do(
    right: Right, facts: str | tuple[str, ...]
) -> None:
    (needed,) = [each for each in IN_A_NAMESPACE if each.right == right]
    for procedure in PROCEDURES.values():
        if any(each.startswith(facts) for each in procedure.facts):
            assert procedure.name in needed.steps


def test_every_right_the_code_uses_has_its_reason_and_no_other() -> None:
    assert used() == INSIDE | CLUSTER_WIDE
    table = [*IN_A_NAMESPACE, *EVERYWHERE]
    assert len(table) == len(INSIDE) + len(CLUSTER_WIDE), "a right stands there twice"
    assert all(each.why for each in table)


LOOKING = {each.right for each in IN_A_NAMESPACE if each.to == "look"}
PATCHING = {Right("patch", "apps", f"{kind}s") for kind in KINDS}
TELLING = {Right("create", "", "events")}
EVICTING = {Right("create", "", "pods/eviction")}
EXPECTED = {
    "observe": LOOKING,
    "restart": LOOKING | PATCHING | TELLING,
    "rollback": LOOKING | PATCHING | TELLING | EVICTING,
}
"""All that a namespace of each level grants."""


@pytest.mark.parametrize("level", LEVELS)
def test_a_namespace_grants_exactly_what_is_used_there(level: str) -> None:
    assert granted(namespace_of(level)) == EXPECTED[level]


def test_one_verb_more_is_found() -> None:
    role, *others = deepcopy(namespace_of("observe"))
    assert role["kind"] == "Role"
    role["rules"][0]["verbs"].append("delete")
    assert granted([role, *others]) != EXPECTED["observe"]


def test_a_right_for_somebody_else_is_found() -> None:
    role, binding = deepcopy(namespace_of("observe"))
    binding["subjects"].append(
        {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "everybody"}
    )
    with pytest.raises(AssertionError):
        granted([role, binding])


def test_the_levels_are_all_that_is_used() -> None:
    assert EXPECTED["rollback"] == INSIDE
    by_rollback_alone = {
        each.right for each in IN_A_NAMESPACE if each.to == "act" and not each.by({"restart"})
    }
    assert EXPECTED["rollback"] - EXPECTED["restart"] == by_rollback_alone
    assert {verb for verb, _, _ in EXPECTED["observe"]} == {"get", "list", "watch"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_grants_everywhere_exactly_what_cannot_be_granted_in_a_namespace(name: str) -> None:
    always = {each.right for each in EVERYWHERE if each.setting is None}
    assert granted(overlay(name)) == always
    assert {verb for verb, _, _ in always} == {"get", "list"}
    assert not [each for each in overlay(name) if each["kind"] in ("Role", "RoleBinding")]


def test_reviews_of_kubernetes_users_are_granted_apart_and_only_to_the_daemon() -> None:
    reviews = {each.right for each in EVERYWHERE if each.setting == "kubernetes_people"}
    assert granted(file("people/reviews.yaml")) == reviews


def test_the_roles_of_kubernetes_users_are_the_apis() -> None:
    named = {each["metadata"]["name"].removeprefix("remediator-"): each for each in file("people/roles.yaml")}
    assert named.keys() == set(VERBS)
    for role, each in named.items():
        verbs = {"get", *(verb for known, verb in VERBS.items() if known == role)}
        assert _rights(each) == {Right(verb, GROUP, RESOURCE) for verb in verbs}


def test_what_is_dangerous_is_never_needed() -> None:
    dangerous = {each.right for each in (*DANGEROUS_IN_A_NAMESPACE, *DANGEROUS_EVERYWHERE)}
    assert not dangerous & (INSIDE | CLUSTER_WIDE)


def test_the_steps_that_need_a_right_exist() -> None:
    named = {step for each in (*IN_A_NAMESPACE, *EVERYWHERE) for step in each.steps}
    assert named <= {key for steps in STEPS.values() for key in steps} | PROCEDURES.keys()


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_applied_with_the_namespace_on_the_command_line(level: str) -> None:
    assert not [each for each in namespace_of(level) if "namespace" in each["metadata"]]


async def released(story: Story) -> None:
    """A bad release after a good version, and the alert about it."""
    await story.create("app:v1")
    await story.let(35 * 60)
    story.release("app:crash-v2")
    await story.let(4 * 60)
    await story.fire()


def restrict(story: Story, level: str) -> None:
    """From now on the daemon has the rights of this level in its namespace, those of the overlay, and no others."""
    (everywhere,) = of_kind("ClusterRole")
    allowed = [*rules(granted(namespace_of(level)), "shop"), *rules(_rights(everywhere), "*")]
    story.emulator.access.add(Account("remediator", "kube-token", rules=allowed))


def refused(story: Story) -> list[str]:
    """Requests that Kubernetes answered with 403."""
    return [f"{each.method} {each.path}" for each in story.emulator.requests if each.status == 403]


async def test_with_exactly_these_rights_a_bad_release_is_rolled_back_and_told_of(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    every_namespace = {"kubernetes": {"kubeconfig": tmp_path / "kubeconfig"}}
    async with told(tmp_path, database_url, clock, settings=every_namespace) as story:
        restrict(story, "rollback")
        await released(story)
        assert story.image() == "app:v1"
        events = story.emulator.list("events", "shop")
        assert "RemediatorActed" in {each["reason"] for each in events}
        assert refused(story) == []


async def test_with_the_rights_to_look_a_shadow_run_sees_everything_and_changes_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK.replace("mode: act", "mode: shadow")) as story:
        restrict(story, "observe")
        await released(story)
        assert (await story.run()).state == "SHADOWED"
        assert "it would have acted" in str((await story.run()).why)
        assert refused(story) == []


LOOKS = """
rules:
  - rule: look
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [%s]
"""


async def test_with_the_rights_to_look_every_diagnostic_of_the_cluster_sees(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    elsewhere = {"http_probe", "app_metrics", "promql", "promql_range", "slo"}
    looks = [
        name
        for name, step in STEPS["diagnostics"].items()
        if name not in elsewhere and not issubclass(step, DatabaseDiagnostic)
    ]
    async with told(tmp_path, database_url, clock, LOOKS % ", ".join(looks)) as story:
        restrict(story, "observe")
        await story.create("app:v1")
        await story.fire()
        seen = [line for line in await story.journal() if line.kind == "evidence"]
        assert [line.details["step"] for line in seen] == looks
        unseen = [line.text for line in seen if line.details["failed"]]
        assert [text for text in unseen if "usage" not in text] == [], "metrics.k8s.io is not there"
        assert [each for each in refused(story) if each.startswith("GET")] == []


async def test_without_the_cluster_role_what_it_serves_comes_from_the_settings(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    told_instead = {
        "cluster": {"uid": "told"},
        "kubernetes": {
            "kubeconfig": tmp_path / "kubeconfig",
            "namespaces": ["shop"],
            "look_at_nodes": False,
        },
    }
    async with told(tmp_path, database_url, clock, settings=told_instead) as story:
        inside = rules(granted(namespace_of("rollback")), "shop")
        story.emulator.access.add(Account("remediator", "kube-token", rules=tuple(inside)))
        await released(story)
        assert story.image() == "app:v1"
        async with story.daemon.database.connection() as connection:
            run = await runs.find(connection, (await story.run()).id)
        assert run is not None
        assert run.plan is not None
        assert any("whether a node is to blame was not looked at" in each for each in run.plan.caveats)
        annotate(story, "namespaces", "shop", "migration")
        await story.daemon.switches.tick()
        assert [each["why"] for each in await listed(story)] == ["migration"]
        assert {each.rpartition("/")[2] for each in refused(story)} <= {
            "validatingwebhookconfigurations",
            "mutatingwebhookconfigurations",
        }


async def test_without_the_right_to_act_nothing_is_changed_whatever_the_rule_says(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        restrict(story, "observe")
        await released(story)
        assert story.image() == "app:crash-v2"
        assert (await story.run()).state == "BLOCKED"
        assert {each.partition(" ")[0] for each in refused(story)} <= {"PATCH", "POST"}
