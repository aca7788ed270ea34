"""Room for the new pods, and autoscalers that go on working."""

from typing import Any

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.story import Story


def quota(used: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team", "namespace": "shop"},
        "spec": {"hard": {"pods": "3"}},
        "status": {"hard": {"pods": "3"}, "used": {"pods": used}},
    }


async def test_a_rollout_waits_for_room_in_the_quota(story: Story) -> None:
    await story.bad_release()
    story.emulator.create(quota("3"))
    await story.fire()
    run = await story.run()
    assert run.state == "PROPOSED"
    assert "quota: ResourceQuota team has no room for another pod (pods: 3 of 3)" in (run.why or "")
    room = {"status": {"used": {"pods": "2"}}}
    story.emulator.patch("resourcequotas", "shop", "team", room, subresource="status")
    await story.let(45)
    assert story.effects() == ["app:v1"]


def autoscaler() -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "api-hpa", "namespace": "shop"},
        "spec": {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 5},
    }


async def test_an_autoscaler_is_named_in_the_notice_and_stops_nothing(story: Story) -> None:
    await story.bad_release()
    story.emulator.create(autoscaler())
    await story.fire()
    assert story.effects() == ["app:v1"]
    messages = [each["message"] for each in story.emulator.list("events", "shop")]
    assert any(
        "HorizontalPodAutoscaler api-hpa may change the replica count meanwhile." in each for each in messages
    )


async def test_while_it_cannot_be_read_whether_an_autoscaler_works_on_it_the_run_waits(story: Story) -> None:
    await story.bad_release()
    forbidden = AnswerStatus(403, "Forbidden", "no")
    laid = story.emulator.faults.add(Fault("GET", "/horizontalpodautoscalers$", forbidden, times=None))
    await story.fire()
    run = await story.run()
    assert run.state == "DIAGNOSED"
    assert "grant list on horizontalpodautoscalers in namespace shop" in (run.why or "")
    assert story.effects() == []
    story.emulator.faults.remove(laid)
    await story.let(45)
    assert story.effects() == ["app:v1"]


@pytest.mark.parametrize(("replicas", "image"), [(1, "app:v2"), (4, "app:v2"), (4, "app:crash-v2")])
async def test_a_budget_with_no_disruption_left_stops_no_rollback(
    story: Story, replicas: int, image: str
) -> None:
    story.emulator.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "api"}}},
        }
    )
    await story.create("app:v1", replicas=replicas)
    await story.soak(35 * 60)
    story.release(image)
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == ["app:v1"], (await story.run()).why
