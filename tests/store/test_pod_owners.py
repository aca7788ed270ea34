"""Whose a pod was is still known when it is gone, for a week."""

from datetime import timedelta

from remediator.store import pod_owners
from remediator.store.database import Database
from remediator.store.pod_owners import OwnedPod, PodOwner
from tests.support.clock import START, DrivenClock


def pod(name: str, uid: str = "pod-1", owner: str = "api", kind: str = "deployment") -> OwnedPod:
    return OwnedPod(pod=name, pod_uid=uid, kind=kind, name=owner, uid=f"uid-of-{owner}")


async def test_the_owner_of_a_pod_is_known_with_the_time_it_was_last_seen(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        await pod_owners.remember(connection, "here", "shop", [pod("api-1-x"), pod("web-0", owner="web")])
        await clock.advance(60)
        await pod_owners.remember(connection, "here", "shop", [pod("web-0", owner="web")])
        assert await pod_owners.owner_of(connection, "here", "shop", "api-1-x") == PodOwner(
            kind="deployment", name="api", uid="uid-of-api", last_seen_at=START
        )
        seen_again = await pod_owners.owner_of(connection, "here", "shop", "web-0")
    assert seen_again is not None
    assert seen_again.last_seen_at == START + timedelta(minutes=1)


async def test_another_namespace_or_cluster_has_other_pods(database: Database) -> None:
    async with database.connection() as connection:
        await pod_owners.remember(connection, "here", "shop", [pod("api-1-x")])
        assert await pod_owners.owner_of(connection, "here", "bank", "api-1-x") is None
        assert await pod_owners.owner_of(connection, "there", "shop", "api-1-x") is None


async def test_a_name_that_went_over_to_another_pod_belongs_to_that_one(database: Database) -> None:
    async with database.connection() as connection:
        await pod_owners.remember(connection, "here", "shop", [pod("web-0", "pod-1", "web", "statefulset")])
        await pod_owners.remember(connection, "here", "shop", [pod("web-0", "pod-2", "web-job", "job")])
        owner = await pod_owners.owner_of(connection, "here", "shop", "web-0")
    assert owner is not None
    assert (owner.kind, owner.name) == ("job", "web-job")


async def test_pods_gone_for_a_week_are_forgotten_a_few_at_a_time(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        await pod_owners.remember(connection, "here", "shop", [pod(f"api-1-{each}") for each in range(5)])
        await clock.advance(7 * 86400)
        assert await pod_owners.forget(connection, 3) == 0
        await pod_owners.remember(connection, "here", "shop", [pod("api-1-0")])
        await clock.advance(1)
        assert await pod_owners.forget(connection, 3) == 3
        assert await pod_owners.forget(connection, 3) == 1
        assert await pod_owners.owner_of(connection, "here", "shop", "api-1-0") is not None
        assert await pod_owners.owner_of(connection, "here", "shop", "api-1-1") is None
