"""A release is more than one workload: its siblings, and what it did to the database."""

from typing import Any

import pytest

from tests.support.story import Story

RELEASE = {"app.kubernetes.io/instance": "shop"}


def labelled(story: Story) -> None:
    patch: dict[str, Any] = {"metadata": {"labels": RELEASE}}
    story.emulator.patch("deployments", "shop", "api", patch, user="somebody", manager="kubectl-label")


def another(name: str, image: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    container = {"name": "app", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": labels if labels is not None else RELEASE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def release(story: Story, name: str, image: str) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    story.emulator.patch("deployments", "shop", name, patch, user="somebody", manager="helm")


async def good_version(story: Story) -> None:
    await story.create("app:v1")
    labelled(story)
    story.emulator.create(another("worker", "worker:v1"))
    await story.soak(35 * 60)


@pytest.mark.parametrize("labels", [RELEASE, {"app.kubernetes.io/part-of": "shop"}])
async def test_a_sibling_released_with_it_asks_and_is_named(story: Story, labels: dict[str, str]) -> None:
    await good_version(story)
    story.emulator.create(another("cache", "cache:v1", labels))
    story.release("app:v2")
    await story.let(60)
    release(story, "worker", "worker:v2")
    await story.let(3 * 60)
    await story.fire()
    run = await story.run()
    assert run.state == "CLEARED"
    named = "deployment/cache, deployment/worker" if labels == RELEASE else "deployment/worker"
    assert f"siblings: of release shop {named} got a new version at the same time" in (run.why or "")
    assert story.effects() == []


async def test_a_sibling_released_long_before_or_only_restarted_stops_nothing(story: Story) -> None:
    await good_version(story)
    release(story, "worker", "worker:v2")
    await story.let(10 * 60, step=45)
    story.release("app:v2")
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-05T12:46:00Z"}
    restart = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    story.emulator.patch("deployments", "shop", "worker", restart, user="somebody", manager="kubectl-rollout")
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"], (await story.run()).why


def job(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "shop", "labels": RELEASE},
        "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "app:v2"}]}}
        },
        "status": status,
    }


async def test_a_migration_under_way_is_waited_for_and_then_a_person_is_asked(story: Story) -> None:
    await good_version(story)
    story.emulator.create(job(active=1))
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    run = await story.run()
    assert run.state == "PROPOSED"
    assert "Job migrate of the same release runs: a migration may be under way" in (run.why or "")
    done = {"type": "Complete", "status": "True", "lastTransitionTime": story.clock.now().isoformat()}
    story.emulator.patch("jobs", "shop", "migrate", {"status": {"conditions": [done]}}, subresource="status")
    await story.let(45)
    run = await story.run()
    assert run.state == "CLEARED"
    assert "the earlier version may not run on today's schema: Job migrate ran" in (run.why or "")
    assert story.effects() == []
