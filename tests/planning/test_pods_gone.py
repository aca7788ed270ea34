"""A pod that is gone is found in our memory, and only there."""

from remediator.domain.answers import Refusal
from remediator.planning.resolve import Resolved
from tests.support.world import World

GONE = {"namespace": "shop", "pod": "api-7d4f9-x2k8q"}


async def test_a_pod_that_is_gone_is_its_owners_from_our_memory(world: World) -> None:
    await world.remember(GONE["pod"], "deployment", "api", world.uid_of("deployments", "api"))
    found = await world.resolve({**GONE, "container": "app"})
    assert isinstance(found, Resolved)
    assert str(found.target) == "deployment/shop/api"
    assert found.how == (
        "pod api-7d4f9-x2k8q was owned by deployment api "
        "(from our memory, last seen 2026-01-05 12:00 UTC; the pod is gone)"
    )


async def test_a_pod_nobody_remembers_is_refused_and_its_service_does_not_stand_in_for_it(
    world: World,
) -> None:
    found = await world.resolve({**GONE, "service": "api"})
    assert isinstance(found, Refusal)
    assert "there is no pod api-7d4f9-x2k8q in namespace shop, and none is remembered" in found.why


async def test_the_pod_of_a_workload_that_was_deleted_and_made_anew_is_refused(world: World) -> None:
    await world.remember(GONE["pod"], "deployment", "api", "the uid of an earlier one")
    found = await world.resolve(GONE)
    assert isinstance(found, Refusal)
    assert "has been deleted and made anew since" in found.why


async def test_what_is_remembered_of_another_kind_is_refused_by_name(world: World) -> None:
    await world.remember("nightly-1-zzzzz", "job", "nightly-1", "j")
    await world.remember("cart-1-zzzzz", "rollout", "cart", "r")
    await world.remember("x-1", "widget", "x", "w")
    wrong = []
    for pod, why in (
        ("nightly-1-zzzzz", "which CronJob nightly made"),
        ("cart-1-zzzzz", "kubectl argo rollouts undo cart"),
        ("x-1", "remediator does not change that kind"),
    ):
        found = await world.resolve({"namespace": "shop", "pod": pod})
        if not isinstance(found, Refusal) or why not in found.why:
            wrong.append(found)
    assert wrong == []


async def test_a_pod_that_is_there_is_believed_before_the_memory(world: World) -> None:
    pod = world.pod_of("api")
    await world.remember(pod, "deployment", "web", world.uid_of("deployments", "web"))
    found = await world.resolve({"namespace": "shop", "pod": pod})
    assert isinstance(found, Resolved)
    assert str(found.target) == "deployment/shop/api"
