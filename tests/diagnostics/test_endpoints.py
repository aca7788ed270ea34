"""endpoints: which Services lead to the pods, how many take traffic, and which label a Service misses them by."""

from typing import Any

import pytest

from remediator.diagnostics.endpoints import Endpoints
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.workloads.services import leading, missing
from tests.diagnostics.looking import looked, runs
from tests.guards.facts import Facts
from tests.sandbox.kubernetes_recordings import exchanges_of
from tests.support.world import service

TEMPLATE = {
    "metadata": {"labels": {"app": "api", "version": "v2", "tier": "api"}},
    "spec": {"containers": [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}]},
}


def recorded(name: str) -> list[dict[str, Any]]:
    (found,) = [each for each in exchanges_of(["endpointslices"]) if each["name"] == name]
    items: list[dict[str, Any]] = found["response"]["body"]["items"]
    return items


async def test_ready_pods_of_a_service_are_counted(facts: Facts) -> None:
    await runs(facts)
    facts.emulator.create(service("front", app="api"))
    evidence = await looked(facts, Endpoints())
    assert evidence.summary == "Service front: 2 ready, 0 not ready"
    assert not evidence.failed


async def test_pods_that_are_not_ready_are_named(facts: Facts) -> None:
    await runs(facts, "app:never-ready")
    facts.emulator.create(service("front", app="api"))
    evidence = await looked(facts, Endpoints())
    assert evidence.summary == "Service front: 0 ready, 2 not ready"
    (row,) = evidence.details["services"]
    assert len(row["unready_pods"]) == 2


async def test_a_selector_that_misses_ready_pods_is_told_by_the_label(facts: Facts) -> None:
    await runs(facts)
    facts.emulator.create(service("api", app="api", version="v1"))
    evidence = await looked(facts, Endpoints())
    assert evidence.summary == (
        "no Service selects its pods; Service api selects version=v1, the pods have none"
    )
    assert evidence.details["ready_pods"] == 2


async def test_without_the_right_it_says_which_is_missing(facts: Facts) -> None:
    await runs(facts)
    refused = AnswerStatus(403, "Forbidden", "no")
    facts.emulator.faults.add(Fault("GET", "/endpointslices$", refused, times=None))
    evidence = await looked(facts, Endpoints())
    assert evidence.failed
    assert "grant list on endpointslices in namespace shop" in evidence.summary


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("no pods: endpointslices", (0, 0, 0)),
        ("one ready, one not: endpointslices", (1, 1, 0)),
        ("one terminating: endpointslices", (1, 0, 1)),
        ("none ready: endpointslices", (0, 1, 0)),
    ],
)
def test_slices_as_a_real_server_writes_them(name: str, counts: tuple[int, int, int]) -> None:
    (found,) = leading(TEMPLATE, [service("api", tier="api")], recorded(name))
    assert (found.ready, found.not_ready, found.terminating) == counts


def test_two_families_of_addresses_count_a_pod_once() -> None:
    slices = recorded("one ready, one not: endpointslices")
    (found,) = leading(TEMPLATE, [service("api", tier="api")], [*slices, *slices])
    assert (found.ready, found.not_ready) == (1, 1)


def test_an_endpoint_that_says_nothing_is_ready() -> None:
    labels = {"kubernetes.io/service-name": "api"}
    slices = [{"metadata": {"labels": labels}, "endpoints": [{"addresses": ["10.0.0.1"]}]}]
    (found,) = leading(TEMPLATE, [service("api", tier="api")], slices)
    assert found.ready == 1


def test_a_port_that_no_container_has_is_told() -> None:
    named = service("api", tier="api")
    named["spec"]["ports"] = [
        {"port": 80, "targetPort": "web"},
        {"port": 81, "targetPort": "http"},
        {"port": 82},
    ]
    (found,) = leading(TEMPLATE, [named], [])
    assert found.wrong_ports == ("web",)


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ({"app": "api", "version": "v1"}, "Service front selects version=v1, the pods have version=v2"),
        ({"app": "api", "zone": "b"}, "Service front selects zone=b, the pods have none"),
        ({"app": "web"}, None),
        ({"app": "api"}, None),
        ({}, None),
    ],
)
def test_only_a_service_that_partly_fits_was_meant(selector: dict[str, str], said: str | None) -> None:
    found = missing("api", TEMPLATE, [service("front", **selector)], [])
    assert [str(each) for each in found] == ([said] if said else [])


def test_a_service_that_leads_to_somebody_elses_pods_is_theirs() -> None:
    of_another_version = service("api", tier="api", version="v1")
    assert (
        missing("web", TEMPLATE, [of_another_version], recorded("one ready, one not: endpointslices")) == []
    )
    assert len(missing("web", TEMPLATE, [of_another_version], recorded("no pods: endpointslices"))) == 1


def test_a_service_of_the_workloads_name_was_meant_for_it() -> None:
    (found,) = missing("api", TEMPLATE, [service("api", app="apo")], [])
    assert str(found) == "Service api selects app=apo, the pods have app=api"
