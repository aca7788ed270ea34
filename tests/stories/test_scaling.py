"""More replicas: as many as were recorded, or a bounded step; and never where somebody else says how many."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import ApplyLate
from remediator.sandbox.kubernetes.request import Call
from tests.stories.test_writes_under_faults import is_the_effect
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import Story, told
from tests.support.terminal import ROLES, Terminal

BACK = """
rules:
  - rule: scaled-down
    mode: act
    match: ['{alertname="HighErrorRate"}']
    actions: [scale: {steady: 30m}]
    verifications:
      - rollout_complete: {within: 5m}
"""
MORE = BACK.replace("scaled-down", "load").replace(
    "[scale: {steady: 30m}]", "[scale: {by: 2, up_to: 4}]\n    guards: [promql: {query: load, above: 0.5}]"
)


@pytest.fixture
def rules() -> str:
    """What a test may parametrize."""
    return BACK


@pytest.fixture
async def kim(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str], rules: str
) -> AsyncIterator[Terminal]:
    """Kim, and a daemon whose rule scales."""
    async with told(tmp_path, database_url, clock, rules, people(tmp_path, **ROLES)) as story:
        story.prometheus.answer("load", 0.9)
        yield Terminal(story, tmp_path / "kim", capsys)


def replicas(story: Story) -> int:
    found = story.emulator.get("deployments", "shop", "api")
    assert found is not None
    wanted: int = found["spec"]["replicas"]
    return wanted


def scaled(story: Story) -> list[tuple[int, int]]:
    """What the daemon changed, claims left out."""
    return [
        (each.before["spec"]["replicas"], each.after["spec"]["replicas"])
        for each in story.changes()
        if each.before and each.after
    ]


def by_hand(story: Story, number: int) -> None:
    """Somebody runs `kubectl scale`."""
    patch = {"spec": {"replicas": number}}
    story.emulator.patch(
        "deployments", "shop", "api", patch, user="somebody", manager="kubectl", subresource="scale"
    )


def beside(story: Story, made: dict[str, Any]) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    spec = {"scaleTargetRef": reference, **made.pop("spec", {})}
    story.emulator.create({**made, "metadata": {"name": "api", "namespace": "shop"}, "spec": spec})


async def agree(kim: Terminal, run_id: int) -> str:
    await kim.story.settle()
    shown = await kim.reads("runs", "approve", str(run_id), "--yes")
    await kim.story.settle()
    return shown


async def test_what_was_scaled_down_by_hand_gets_its_recorded_replicas_back_and_is_undone_by_a_person(
    kim: Terminal,
) -> None:
    story = kim.story
    await story.create("app:v1", replicas=3)
    await story.soak(40 * 60)
    by_hand(story, 0)
    await story.let(60)
    await story.fire()
    assert (scaled(story), (await story.run()).state) == ([], "CLEARED"), (await story.run()).why
    shown = await agree(kim, 1)
    assert "somebody scaled it down to 0, and may have meant to" in shown
    assert scaled(story) == [(0, 3)]
    await story.let(60)
    assert (await story.run()).state == "RESOLVED", (await story.run()).why
    told_of_it = await kim.reads("runs", "show", "1")
    assert (
        "remediator runs undo 1, or by hand: kubectl -n shop scale deployment/api --replicas=0" in told_of_it
    )
    await kim.shows("runs", "undo", "1", "--why", "it is to stay off")
    shown = await agree(kim, 2)
    assert "no ready pod may be left: 3 of 3 pods are ended" in shown
    assert scaled(story) == [(0, 3), (3, 0)], (await story.run()).why


@pytest.mark.parametrize("rules", [MORE], ids=["by"])
async def test_a_load_gets_a_step_up_to_the_rules_most_and_no_more(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1", replicas=3)
    await story.soak(5 * 60)
    await story.fire()
    assert scaled(story) == [(3, 4)], (await story.run()).why
    await story.let(60)
    assert (await story.run()).state == "RESOLVED", (await story.run()).why
    by_hand(story, 6)
    await story.let(30)
    assert "superseded: kubectl changed deployment/shop/api" in await refused_undo(kim)
    assert replicas(story) == 6


@pytest.mark.parametrize("rules", [MORE], ids=["by"])
async def test_who_has_just_scaled_it_is_not_overtaken(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1", replicas=1)
    await story.soak(40 * 60)
    by_hand(story, 2)
    await story.soak(5 * 60)
    await story.fire()
    run = await story.run()
    assert "human_active: people may be at work: 2 replicas are wanted since about" in (run.why or "")
    assert scaled(story) == []
    await story.let(27 * 60, step=60)
    assert scaled(story) == [(2, 4)], (await story.run()).why


async def refused_undo(kim: Terminal) -> str:
    await kim.shows("runs", "undo", "1", "--why", "the load is over")
    await kim.story.settle()
    return (await kim.story.run()).why or ""


AUTOSCALERS: dict[str, dict[str, Any]] = {
    "HorizontalPodAutoscaler": {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {"minReplicas": 1, "maxReplicas": 4},
    },
    "ScaledObject": {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"},
}


@pytest.mark.parametrize("rules", [MORE], ids=["by"])
@pytest.mark.parametrize("kind", list(AUTOSCALERS))
async def test_what_an_autoscaler_scales_is_handed_over_by_its_name(kim: Terminal, kind: str) -> None:
    story = kim.story
    await story.create("app:v1", replicas=2)
    beside(story, dict(AUTOSCALERS[kind]))
    await story.soak(5 * 60)
    await story.fire()
    run = await story.run()
    assert (run.state, scaled(story)) == ("ESCALATED", [])
    assert f"{kind} api says how many replicas deployment/shop/api has: change its bounds" in (run.why or "")


@pytest.mark.parametrize("rules", [MORE], ids=["by"])
async def test_a_scaling_under_way_does_not_land_after_a_release_has_ended_its_run(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1", replicas=2)
    await story.soak(5 * 60)

    def released_meanwhile(call: Call, user: str) -> bool:
        if is_the_effect(call, user):
            story.release("app:v2")
            return True
        return False

    late = Fault("PATCH", "/deployments/api$", ApplyLate(20), when=released_meanwhile)
    story.emulator.faults.add(late)
    await story.fire()
    assert late.hits == 1
    await story.let(60)
    run = await story.run()
    assert (run.state, scaled(story)) == ("ESCALATED", []), run.why
    assert "superseded: kubectl changed its replicas or its template meanwhile" in (run.why or "")


@pytest.mark.parametrize("rules", [MORE], ids=["by"])
async def test_a_number_that_the_memory_has_not_seen_yet_may_be_a_moment_old(kim: Terminal) -> None:
    story = kim.story
    await story.create("app:v1", replicas=3)
    await story.soak(5 * 60)
    by_hand(story, 2)
    await story.fire()
    run = await story.run()
    assert "human_active: since when 2 replicas are wanted is not seen yet" in (run.why or "")
    await story.let(60)
    assert "human_active: people may be at work: 2 replicas are wanted since" in (
        (await story.run()).why or ""
    )
    assert scaled(story) == []
