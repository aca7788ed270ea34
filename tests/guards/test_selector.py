"""selector: ready pods that no Service selects are not cured by another version, unless that brings the labels."""

from collections.abc import Mapping
from typing import Any

import pytest

from remediator.domain.change import TemplatePatch
from remediator.guards.selector import Selector
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.guards.facts import Facts
from tests.support.world import service, workload


async def runs(facts: Facts, image: str = "app:v1", **selector: str) -> None:
    """Two pods of API with the labels app=api and tier=front, and a Service api with this selector."""
    made = workload("Deployment", "api", replicas=2)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container.update(image=image, readinessProbe={"httpGet": {"path": "/healthz", "port": 8080}})
    facts.emulator.create(made)
    if selector:
        facts.emulator.create(service("api", **selector))
    await facts.clock.advance(60)
    await facts.emulator.catch_up()


def a_release_with(facts: Facts, labels: Mapping[str, str]) -> TemplatePatch:
    """Back to a template that differs in its labels."""
    found = facts.emulator.get("deployments", "shop", "api")
    assert found is not None
    before: dict[str, Any] = found["spec"]["template"]
    after = {**before, "metadata": {"labels": {**before["metadata"]["labels"], **labels}}}
    return TemplatePatch(
        action="rollback",
        target=facts.run().target,
        uid=found["metadata"]["uid"],
        from_template=before,
        to_template=after,
        from_title="v2",
        to_title="v1",
        summary="back",
    )


async def test_ready_pods_that_a_service_misses_need_another_selector(facts: Facts) -> None:
    await runs(facts, app="api", version="v1")
    verdict = await facts.verdict(Selector())
    assert (verdict.answer, verdict.passing) == ("refuse", False)
    assert verdict.why == (
        "2 pods are ready and get no traffic: Service api selects version=v1, the pods have none"
    )


async def test_a_version_that_has_the_labels_is_a_cure(facts: Facts) -> None:
    await runs(facts, app="api", version="v1")
    cure = await facts.verdict(Selector(), change=a_release_with(facts, {"version": "v1"}))
    assert cure.answer == "allow", cure.why
    other = await facts.verdict(Selector(), change=a_release_with(facts, {"version": "v0"}))
    assert other.answer == "refuse"


async def test_a_service_that_leads_to_its_ready_pods_speaks_against_it(facts: Facts) -> None:
    await runs(facts, app="api", version="v1")
    facts.emulator.create(service("front", app="api"))
    await facts.clock.advance(5)
    await facts.emulator.catch_up()
    verdict = await facts.verdict(Selector())
    assert (verdict.answer, verdict.inputs["leads"]) == ("allow", ["front"])


@pytest.mark.parametrize(
    ("image", "called", "selector"),
    [
        ("app:v1", "api", {"app": "api"}),
        ("app:v1", "web", {"app": "web"}),
        ("app:never-ready", "api", {"app": "x"}),
    ],
)
async def test_what_is_no_selectors_fault_is_allowed(
    facts: Facts, image: str, called: str, selector: dict[str, str]
) -> None:
    facts.emulator.create(service(called, **selector))
    await runs(facts, image)
    verdict = await facts.verdict(Selector())
    assert verdict.answer == "allow", verdict.why


@pytest.mark.parametrize(
    ("called", "selector"),
    [("api-debug", {"app": "api", "debug": "yes"}), ("other", {"app": "other", "tier": "front"})],
)
async def test_a_service_of_another_name_that_shares_a_label_stops_no_cure(
    facts: Facts, called: str, selector: dict[str, str]
) -> None:
    facts.emulator.create(service(called, **selector))
    await runs(facts)
    verdict = await facts.verdict(Selector(), change=a_release_with(facts, {}))
    assert verdict.answer == "allow", verdict.why


@pytest.mark.parametrize("what", ["services", "endpointslices"])
async def test_what_cannot_be_read_is_unknown(facts: Facts, what: str) -> None:
    await runs(facts, app="api", version="v1")
    refused = AnswerStatus(403, "Forbidden", "no")
    facts.emulator.faults.add(Fault("GET", f"/{what}$", refused, times=None))
    assert (await facts.verdict(Selector())).answer == "unknown"
