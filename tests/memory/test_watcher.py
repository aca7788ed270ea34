"""What the memory knows after one look is what the cluster is, however it was told."""

import pytest

from remediator.sandbox.kubernetes import AccessRule, Account, Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.store import config_hashes, pod_owners
from remediator.workloads.config_maps import content_hash
from tests.memory.world import API, World, a_namespace, config_map, images

MINUTE = 60.0


async def test_one_look_knows_what_happened_since_the_last(world: World) -> None:
    watcher = await world.replica("a")
    await watcher.tick()
    assert images(await world.tenures()) == ["app:v1"]
    listed = len(world.lists())
    for release in range(2, 6):
        world.release(f"app:v{release}")
        await world.pass_by(15)
        await watcher.tick()
    assert images(await world.tenures()) == [f"app:v{each}" for each in range(1, 6)]
    assert len(world.lists()) == listed


async def test_availability_is_time_that_was_seen(world: World) -> None:
    await world.replica("a")
    await world.let(10 * MINUTE)
    assert await world.available() == pytest.approx(10 * MINUTE - 15)


async def test_a_version_that_was_not_seen_for_a_minute_begins_to_soak_anew(world: World) -> None:
    await world.replica("a")
    await world.let(5 * MINUTE)
    await world.pass_by(45)
    await world.let(5 * MINUTE)
    unbroken = await world.available()
    assert unbroken == pytest.approx(10 * MINUTE + 45 - 15)
    await world.pass_by(61)
    await world.let(5 * MINUTE)
    assert await world.available() == unbroken


async def test_an_api_server_that_is_away_is_time_not_seen_and_needs_no_help_when_it_is_back(
    world: World,
) -> None:
    watcher = await world.replica("a")
    await world.let(5 * MINUTE)
    before = await world.available()
    fault = world.emulator.faults.add(Fault("GET", "", AnswerStatus(503, "ServiceUnavailable"), times=None))
    for _ in range(20):  # the watches end, and nobody answers
        await world.pass_by(15)
        with pytest.raises(Exception, match="503"):
            await watcher.tick()
    assert await world.available() == before
    world.emulator.faults.remove(fault)
    world.release("app:v2")
    await world.let(MINUTE)
    assert images(await world.tenures()) == ["app:v1", "app:v2"]


async def test_a_watch_that_cannot_be_gone_on_with_is_replaced_by_a_list_in_the_same_look(
    world: World,
) -> None:
    watcher = await world.replica("a")
    await watcher.tick()
    # So that the watches had something to say before they ended, and are gone on with.
    world.emulator.create(config_map("chatter"))
    await world.pass_by(61)
    world.release("app:v2")
    world.emulator.forget_history()
    listed = len(world.lists())
    await watcher.tick()
    assert images(await world.tenures()) == ["app:v1", "app:v2"]
    assert len(world.lists()) > listed


async def test_one_replica_looks_and_another_takes_over_without_breaking_what_is_soaking(
    world: World,
) -> None:
    first = await world.replica("a")
    await world.replica("b")
    await world.let(5 * MINUTE)
    users = {each.user_agent for each in world.watches()}
    opened = len(world.watches())
    assert users == {"remediator"}
    await first.close()
    world.looking.remove(first)
    await world.let(5 * MINUTE)
    assert len(world.watches()) > opened
    assert await world.available() == pytest.approx(10 * MINUTE - 15)


async def test_a_replica_that_lost_the_lease_closes_its_watches_and_writes_nothing(world: World) -> None:
    first = await world.replica("a")
    await first.tick()
    await world.pass_by(46)
    second = await world.replica("b")
    await second.tick()
    (seen,) = await world.tenures()
    await world.pass_by(15)
    await first.tick()
    assert (await world.tenures())[0].last_seen_at == seen.last_seen_at
    opened = len(world.watches())
    await world.pass_by(120)  # had it kept them, they would end now; the next look of `b` opens only its own
    await second.tick()
    kinds = [each.path for each in world.watches()[opened:]]
    assert len(kinds) == len(set(kinds))


async def test_a_kind_that_may_not_be_read_does_not_hide_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    readable = ["deployments", "replicasets", "namespaces", "pods"]
    rules = [AccessRule(["get", "list", "watch"], ["", "apps"], readable, ["*"])]
    world.emulator.access.add(Account("remediator", "kube-token", rules=rules))
    await world.replica("a")
    await world.let(MINUTE)
    assert images(await world.tenures()) == ["app:v1"]
    told = [each.message for each in caplog.records if "configmaps" in each.message]
    assert len(told) == 1
    assert "grant list on configmaps in namespace shop" in told[0]


async def test_a_namespace_that_opts_out_is_no_longer_looked_at(world: World) -> None:
    watcher = await world.replica("a")
    await watcher.tick()
    (before,) = await world.tenures()
    world.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": "no"}}})
    await world.let(2 * MINUTE)
    opened = len(world.watches())
    await world.let(2 * MINUTE)
    assert len(world.watches()) == opened
    assert (await world.tenures()) == [before]


async def test_only_the_namespaces_of_the_settings_are_looked_at_and_only_if_opted_in(world: World) -> None:
    world.emulator.create(a_namespace("bank"))
    world.emulator.create(a_namespace("attic", enabled="false"))
    await (await world.replica("a", "bank", "attic")).tick()
    assert {each.path.split("/namespaces/")[1].split("/")[0] for each in world.watches()} == {"bank"}


async def test_the_owner_of_a_pod_is_remembered_after_the_pod_is_gone(world: World) -> None:
    watcher = await world.replica("a")
    await watcher.tick()
    pod = world.emulator.list("pods", "shop")[0]["metadata"]["name"]
    world.emulator.delete("deployments", "shop", "api")
    await world.let(MINUTE)
    async with world.database.connection() as connection:
        owner = await pod_owners.owner_of(connection, "here", "shop", pod)
    assert owner is not None
    assert (owner.kind, owner.name) == ("deployment", "api")
    assert owner.uid == (await world.tenures(API))[0].uid


async def test_the_owner_of_a_pod_is_the_nearest_where_nothing_is_known_above(world: World) -> None:
    watcher = await world.replica("a")
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": "tidy", "uid": "job-1", "controller": True}
    spec = {"containers": [{"name": "app", "image": "app:v1"}]}
    for name, references in (("tidy-x", [reference]), ("bare", [])):
        metadata = {"name": name, "namespace": "shop", "ownerReferences": references}
        world.emulator.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    await watcher.tick()
    async with world.database.connection() as connection:
        owner = await pod_owners.owner_of(connection, "here", "shop", "tidy-x")
        assert await pod_owners.owner_of(connection, "here", "shop", "bare") is None
    assert owner is not None
    assert (owner.kind, owner.name, owner.uid) == ("job", "tidy", "job-1")


async def test_what_a_config_map_held_is_remembered_as_a_hash_and_never_as_it_is(world: World) -> None:
    watcher = await world.replica("a")
    first, second = (config_map("web-config", password=each) for each in ("hunter2", "correct horse"))
    world.emulator.create(first)
    await watcher.tick()
    await world.pass_by(15)
    world.emulator.patch("configmaps", "shop", "web-config", {"data": second["data"]})
    await watcher.tick()
    world.emulator.delete("configmaps", "shop", "web-config")
    await world.pass_by(15)
    await watcher.tick()
    async with world.database.connection() as connection:
        found = await config_hashes.of_names(connection, "here", "shop", ["web-config"])
        stored = await connection.fetchval("select string_agg(config_hashes::text, ' ') from config_hashes")
    assert [each.hash for each in found] == [content_hash(first), content_hash(second)]
    assert all(each.ended_at is not None for each in found)
    assert "hunter2" not in stored


async def test_after_a_restart_what_vanished_meanwhile_is_noticed(world: World) -> None:
    world.emulator.create(config_map("web-config", a="1"))
    first = await world.replica("a")
    await first.tick()
    await first.close()
    world.emulator.delete("configmaps", "shop", "web-config")
    await first.tick()
    async with world.database.connection() as connection:
        (found,) = await config_hashes.of_names(connection, "here", "shop", ["web-config"])
    assert found.ended_at is not None
