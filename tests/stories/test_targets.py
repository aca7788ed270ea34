"""What an alert is about is looked up, said, and asked again while it cannot be known."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import HangBeforeApplying
from remediator.store import episodes, incidents
from remediator.store.episodes import Episode
from remediator.store.pod_owners import OwnedPod, remember
from tests.stories.test_planning import TWO_RULES
from tests.support.clock import DrivenClock
from tests.support.story import Story, told
from tests.support.world import autoscaler, service


async def episode(story: Story) -> Episode:
    """The newest episode that is not Watchdog's."""
    async with story.daemon.database.connection() as connection:
        return next(each for each in await episodes.recent(connection) if each.alertname != "Watchdog")


async def fire(story: Story, **labels: str) -> None:
    """An alert of the namespace that carries these labels and none of a workload."""
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", **labels})
    await story.deliver()


async def found_how(story: Story) -> list[str]:
    return [line.text for line in await story.journal() if line.kind == "target"]


def some_pod(story: Story) -> dict[str, Any]:
    (*_, pod) = story.emulator.list("pods", "shop", "app=api")
    return pod


async def seen(story: Story, pod: dict[str, Any]) -> None:
    """The memory saw this pod of Deployment api."""
    deployment = story.emulator.get("deployments", "shop", "api")
    assert deployment is not None
    owned = OwnedPod(
        pod=pod["metadata"]["name"],
        pod_uid=pod["metadata"]["uid"],
        kind="deployment",
        name="api",
        uid=deployment["metadata"]["uid"],
    )
    async with story.daemon.database.transaction() as connection:
        await remember(connection, "default", "shop", [owned])


async def test_an_alert_about_a_pod_that_is_gone_rolls_its_deployment_back(story: Story) -> None:
    await story.bad_release()
    pod = some_pod(story)
    await seen(story, pod)
    name = pod["metadata"]["name"]
    story.emulator.delete("pods", "shop", name)
    await story.let(60)
    await fire(story, pod=name, container="app")
    assert story.effects() == ["app:v1"]
    (how,) = await found_how(story)
    assert f"pod {name} was owned by deployment api (from our memory, last seen 2026-01-05" in how
    assert (await episode(story)).target == "deployment/shop/api"


async def test_an_alert_about_a_service_rolls_back_the_deployment_behind_it(story: Story) -> None:
    await story.bad_release()
    story.emulator.create(service("checkout", app="api"))
    await fire(story, service="checkout", job="checkout")
    assert story.effects() == ["app:v1"]
    (how,) = await found_how(story)
    assert how.endswith("deployment/shop/api: Service checkout selects pods of deployment api")


async def test_an_alert_about_an_autoscaler_rolls_back_what_it_scales(story: Story) -> None:
    await story.bad_release()
    story.emulator.create(autoscaler("api", "apps/v1", "Deployment", "api"))
    await fire(story, horizontalpodautoscaler="api", job="kube-state-metrics")
    assert story.effects() == ["app:v1"]
    (how,) = await found_how(story)
    assert how.endswith("HorizontalPodAutoscaler api scales Deployment api")


async def test_the_episode_of_a_run_keeps_its_target_when_the_alerts_pod_goes(story: Story) -> None:
    await story.bad_release()
    name = some_pod(story)["metadata"]["name"]
    await fire(story, pod=name)
    await story.let(60)
    assert story.emulator.get("pods", "shop", name) is None
    await story.deliver()
    found = await episode(story)
    assert (found.disposition, found.target) == ("planned", "deployment/shop/api")


async def test_a_cluster_that_cannot_be_read_is_asked_again_until_it_answers(story: Story) -> None:
    await story.create("app:v1")
    async with story.emulator.outage():
        await story.fire()
        found = await episode(story)
        assert (found.disposition, found.incident_id, found.target) == ("target_unknown", None, None)
        assert "could not be looked up" in (found.why or "")
        assert found.plan_due_at == story.clock.now() + timedelta(seconds=5)
    await story.clock.advance(5)
    await story.settle()
    found = await episode(story)
    assert (found.disposition, found.target) == ("planned", "deployment/shop/api")


async def test_people_see_an_incident_when_the_target_stays_unknown(story: Story) -> None:
    await story.create("app:v1")
    async with story.emulator.outage():
        await story.fire()
        waited = []
        for _ in range(8):
            due = (await episode(story)).plan_due_at
            assert due is not None
            waited.append((due - story.clock.now()).total_seconds())
            await story.clock.advance(waited[-1])
            await story.settle()
        unknown = await episode(story)
        assert waited == sorted(waited)
        assert max(waited) <= 60
    assert (unknown.disposition, unknown.incident_id) == ("target_unknown", 1)
    await story.clock.advance(60)
    await story.settle()
    found = await episode(story)
    assert (found.disposition, found.incident_id) == ("planned", 2)
    async with story.daemon.database.connection() as connection:
        first = await incidents.find(connection, 1)
        second = await incidents.find(connection, 2)
    assert first is not None
    assert first.target is None
    assert second is not None
    assert second.target == "deployment/shop/api"


async def test_an_alert_that_clears_while_its_target_is_unknown_is_not_asked_again(story: Story) -> None:
    await story.create("app:v1")
    async with story.emulator.outage():
        await story.fire()
        await story.resolve()
    await story.clock.advance(3600)
    await story.settle()
    assert (await episode(story)).target is None
    assert await story.runs() == []


async def test_no_transaction_and_no_lock_is_held_while_the_cluster_is_asked(story: Story) -> None:
    await story.create("app:v1")
    hanging = story.emulator.faults.add(Fault("GET", "/deployments/api$", HangBeforeApplying()))
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token="story-token")
    while await story.daemon.reader.tick():
        pass
    planning = asyncio.create_task(story.settle())
    await hanging.reached()
    async with story.daemon.database.transaction() as connection:
        busy = await connection.fetchval(
            """select count(*) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null"""
        )
        locked = await connection.fetch("select id from episodes for update nowait")
    hanging.release()
    assert (busy, len(locked)) == (0, 2)
    await planning
    assert (await episode(story)).disposition == "planned"


async def test_an_alert_that_names_two_workloads_is_an_incident_people_see_and_nothing_else(
    story: Story,
) -> None:
    await story.create("app:v1")
    await story.fire(statefulset="db")
    found = await episode(story)
    assert (found.disposition, found.target) == ("no_target", None)
    assert found.why == "two candidates: deployment api and statefulset db"
    assert found.incident_id is not None
    assert await story.runs() == []


async def test_what_is_protected_is_so_by_whatever_label_an_alert_names_it(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    settings = {"protected_targets": ["deployment/shop/api"]}
    async with told(tmp_path, database_url, clock, settings=settings) as story:
        await story.create("app:v1")
        story.emulator.create(service("checkout", app="api"))
        story.emulator.create(autoscaler("checkout", "apps/v1", "Deployment", "api"))
        named = [{"service": "checkout"}, {"hpa": "checkout"}, {"pod": some_pod(story)["metadata"]["name"]}]
        for number, labels in enumerate(named, start=1):
            await fire(story, **labels)
            runs = await story.runs()
            assert len(runs) == number
            assert runs[-1].state == "BLOCKED"
            assert "protected" in (runs[-1].why or "")
            await story.clock.advance(11 * 60)
        assert story.effects() == []


async def test_an_alert_whose_target_can_no_longer_be_told_starts_no_run_beside_another(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, TWO_RULES) as story:
        await story.create("app:v1")
        story.emulator.create(service("checkout", app="api"))
        await fire(story, service="checkout")
        assert (await episode(story)).disposition == "waiting"
        story.emulator.delete("services", "shop", "checkout")
        await story.clock.advance(60)
        await story.settle()
        found = await episode(story)
        assert (found.disposition, found.target, found.incident_id) == ("no_target", None, 1)
        await story.fire(alertname="CrashLooping")
        assert (await story.run()).rule == "restart-crashing"
