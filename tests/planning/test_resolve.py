"""One alert gives exactly one object, or a refusal that names why."""

import pytest

from remediator.domain.answers import Refusal
from remediator.planning.resolve import Resolved, resolve
from remediator.rulebook.rule import RuleTarget

CHECKOUT = RuleTarget(
    match=('{job="checkout"}',), target="deployment/checkout/api", depends_on=("statefulset/checkout/db",)
)


def target_of(labels: dict[str, str], *entries: RuleTarget) -> str:
    found = resolve(labels, entries, "prod")
    assert isinstance(found, Resolved), found
    return str(found.target)


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ({"namespace": "shop", "deployment": "api"}, "deployment/shop/api"),
        ({"namespace": "shop", "workload": "api", "workload_type": "deployment"}, "deployment/shop/api"),
        ({"namespace": "shop", "workload": "api", "workload_type": "Deployment"}, "deployment/shop/api"),
        (
            {
                "namespace": "monitoring",
                "exported_namespace": "shop",
                "deployment": "kube-state-metrics",
                "exported_deployment": "api",
            },
            "deployment/shop/api",
        ),
    ],
)
def test_workload_labels_name_the_target(labels: dict[str, str], target: str) -> None:
    assert target_of(labels) == target


def test_an_entry_of_targets_names_it_when_the_labels_do_not() -> None:
    found = resolve({"job": "checkout"}, [CHECKOUT], "prod")
    assert isinstance(found, Resolved)
    assert str(found.target) == "deployment/checkout/api"
    assert found.depends_on == ("statefulset/checkout/db",)


def test_labels_and_targets_may_agree() -> None:
    assert target_of({"namespace": "checkout", "deployment": "api"}, CHECKOUT) == "deployment/checkout/api"


@pytest.mark.parametrize(
    ("labels", "entries", "why"),
    [
        ({}, [], "names no workload"),
        ({"namespace": "shop"}, [], "names no workload"),
        ({"deployment": "api"}, [], "no namespace"),
        ({"namespace": "shop", "deployment": "other"}, [CHECKOUT], "two candidates"),
        ({"namespace": "shop", "deployment": "api", "statefulset": "db"}, [], "two candidates"),
        ({"namespace": "shop", "workload": "db", "workload_type": "cronjob"}, [], "cannot change"),
        ({"namespace": "", "deployment": "api"}, [], "not a namespace's name"),
        ({"namespace": "*", "deployment": "api"}, [], "not a namespace's name"),
        ({"namespace": "shop", "deployment": ""}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": " "}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "*"}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "."}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "-A"}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "--all"}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "a/b"}, [], "not an object's name"),
        ({"namespace": "shop", "deployment": "api/../../x"}, [], "not an object's name"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(
    labels: dict[str, str], entries: list[RuleTarget], why: str
) -> None:
    found = resolve(labels, entries, "prod")
    assert isinstance(found, Refusal)
    assert why in found.why
