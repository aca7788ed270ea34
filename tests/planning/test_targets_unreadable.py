"""A cluster that cannot be read makes the target unknown, which is asked again and never guessed."""

import json

import pytest

from remediator.domain.answers import Refusal
from remediator.planning.resolve import Resolved
from remediator.rulebook.rule import RuleTarget
from remediator.sandbox.kubernetes import AccessRule, Account, Fault
from remediator.sandbox.kubernetes.faults import Action, AnswerStatus, DropBeforeApplying, HalfBody
from tests.support.world import World

API = {"namespace": "shop", "deployment": "api"}
LOOK_EVERYWHERE = AccessRule(["get", "list"], [""], ["namespaces"])


def may_read_only(world: World, *rules: AccessRule) -> None:
    world.emulator.access.add(Account("remediator", "kube-token", rules=(LOOK_EVERYWHERE, *rules)))


async def test_an_outage_is_unknown_and_the_target_is_found_when_it_is_over(world: World) -> None:
    async with world.emulator.outage():
        found = await world.resolve(API)
        assert isinstance(found, Refusal)
        assert found.passing
        assert "could not be looked up" in found.why
    assert isinstance(await world.resolve(API), Resolved)


@pytest.mark.parametrize(
    "action", [AnswerStatus(500), AnswerStatus(429), AnswerStatus(404), DropBeforeApplying(), HalfBody()]
)
async def test_every_read_that_fails_makes_it_unknown(world: World, action: Action) -> None:
    wrong = []
    labels = world.labels({"namespace": "shop", "pod": "{api}", "service": "api"})
    for path in ("/pods/", "/replicasets/", "/deployments/", "/services/", "/pods$"):
        fault = Fault("GET", path, action, times=None)
        world.emulator.faults.add(fault)
        found = await world.resolver.resolve(labels, ())
        world.emulator.faults.remove(fault)
        if not isinstance(found, Refusal) or not found.passing:
            wrong.append((path, found))
    assert wrong == []


@pytest.mark.parametrize("spec", [None, {}, {"template": []}, {"template": {"spec": {"containers": "app"}}}])
async def test_a_workload_without_a_template_that_can_be_read_makes_it_unknown(
    world: World, spec: object
) -> None:
    metadata = {"name": "api", "namespace": "shop", "uid": "u"}
    body = json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    world.emulator.faults.add(Fault("GET", "/deployments/api$", AnswerStatus(200, body=body), times=None))
    found = await world.resolve(API)
    assert isinstance(found, Refusal)
    assert found.passing
    assert "no pod template that can be read" in found.why


async def test_a_missing_right_in_a_namespace_that_opted_in_says_what_to_grant(world: World) -> None:
    may_read_only(world)
    found = await world.resolve(API)
    assert isinstance(found, Refusal)
    assert found.passing
    assert "grant get on deployments in namespace shop" in found.why


async def test_a_namespace_whose_owners_never_said_yes_is_refused_for_good(world: World) -> None:
    may_read_only(world)
    world.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": None}}})
    entry = RuleTarget(match=('{job="x"}',), target="deployment/shop/api")
    for found in (await world.resolve(API), await world.resolve({"job": "x"}, entry)):
        assert isinstance(found, Refusal)
        assert not found.passing
        assert "namespace shop has not opted in" in found.why


async def test_a_namespace_that_does_not_exist_is_refused_by_name(world: World) -> None:
    may_read_only(world)
    found = await world.resolve({"namespace": "nowhere", "deployment": "api"})
    assert isinstance(found, Refusal)
    assert (found.why, found.passing) == ("there is no namespace nowhere", False)
