"""One pod that is not ready is evicted, as its budget allows, and nothing else is."""

from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import ApplyLate, ApplyThenDrop, DropBeforeApplying
from remediator.sandbox.kubernetes.request import Call
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.sets import workload
from tests.support.story import RESTART, Story, told
from tests.support.terminal import ROLES, Terminal

EVICT = RESTART.replace("[restart]", "[evict_pod]").replace("hung", "ill-pod")


def evictions(story: Story) -> list[int]:
    """What each eviction asked for was answered."""
    return [each.status for each in story.emulator.requests if each.path.endswith("/eviction")]


async def ill(story: Story) -> str:
    """Of three pods that have run for a while, one has not been ready for five minutes."""
    await story.create("app:v1", replicas=3)
    await story.soak(5 * 60)
    name: str = min(each["metadata"]["name"] for each in story.emulator.list("pods", "shop"))
    unready(story, name)
    await story.soak(5 * 60)
    return name


def unready(story: Story, name: str, status: str = "False") -> None:
    stamp = story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    pod = story.emulator.get("pods", "shop", name)
    assert pod is not None
    told_by = [
        {**each, "status": status, "lastTransitionTime": stamp} if "Ready" in each["type"] else each
        for each in pod["status"]["conditions"]
    ]
    change = {"status": {"conditions": told_by}}
    story.emulator.patch("pods", "shop", name, change, user="kubelet", subresource="status")


async def test_the_unready_pod_is_evicted_and_there_is_nothing_to_undo(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock, EVICT, people(tmp_path, **ROLES)) as story:
        name = await ill(story)
        await story.fire()
        assert evictions(story) == [201], (await story.run()).why
        await story.let(60)
        assert story.emulator.get("pods", "shop", name) is None
        kim = Terminal(story, tmp_path / "kim", capsys)
        said = await kim.fails("runs", "undo", "1", "--why", "no reason")
        assert "nothing to undo: it only evicted a pod, which was made anew" in said


async def test_a_pod_that_becomes_ready_while_its_eviction_is_prepared_stays(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, EVICT) as story:
        name = await ill(story)

        def ready_by_now(call: Call, user: str) -> bool:
            unready(story, name, "True")
            return False

        story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ApplyThenDrop(), when=ready_by_now))
        await story.fire()
        await story.let(10)
        assert (evictions(story), (await story.run()).state) == ([], "ACTED"), (await story.run()).why
        assert story.emulator.get("pods", "shop", name) is not None


async def test_a_pod_that_becomes_ready_before_a_lost_eviction_is_sent_again_stays(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, EVICT) as story:
        name = await ill(story)
        lost = story.emulator.faults.add(Fault("POST", "/eviction$", DropBeforeApplying()))

        def ready_by_now(call: Call, user: str) -> bool:
            if lost.hits:
                unready(story, name, "True")
            return False

        story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ApplyThenDrop(), when=ready_by_now))
        await story.fire()
        await story.let(60)
        assert lost.hits == 1
        assert (evictions(story)[1:], (await story.run()).state) == ([], "ACTED"), (await story.run()).why
        assert story.emulator.get("pods", "shop", name) is not None


@pytest.mark.parametrize(("becomes", "answered"), [("True", [409]), ("False", [409, 201])])
async def test_a_pod_that_changes_as_its_eviction_arrives_is_looked_at_again(
    tmp_path: Path, database_url: str, clock: DrivenClock, becomes: str, answered: list[int]
) -> None:
    async with told(tmp_path, database_url, clock, EVICT) as story:
        name = await ill(story)
        changed: list[str] = []

        def changes(call: Call, user: str) -> bool:
            if not changed:
                changed.append(name)
                unready(story, name, becomes)
            return False

        story.emulator.faults.add(Fault("POST", "/eviction$", DropBeforeApplying(), when=changes))
        await story.fire()
        await story.let(60)
        assert (evictions(story), (await story.run()).state) == (answered, "ACTED"), (await story.run()).why
        assert (story.emulator.get("pods", "shop", name) is None) == (201 in answered)


async def test_an_eviction_that_arrives_late_spares_a_pod_that_became_ready(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, EVICT) as story:
        name = await ill(story)
        late = story.emulator.faults.add(Fault("POST", "/eviction$", ApplyLate(20)))
        await story.fire()
        assert late.hits == 1
        unready(story, name, "True")
        await story.let(60)
        assert (await story.run()).state == "ACTED", (await story.run()).why
        assert story.emulator.get("pods", "shop", name) is not None


async def test_a_budgets_no_is_not_asked_again(tmp_path: Path, database_url: str, clock: DrivenClock) -> None:
    async with told(tmp_path, database_url, clock, EVICT) as story:
        story.emulator.create(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "api", "namespace": "shop"},
                "spec": {"selector": {"matchLabels": {"app": "api"}}, "minAvailable": 3},
            }
        )
        name = await ill(story)
        await story.fire()
        await story.let(60)
        run = await story.run()
        assert (run.state, evictions(story)) == ("ESCALATED", [429]), run.why
        assert "as it would violate the pod's disruption budget" in (run.why or "")
        assert story.emulator.get("pods", "shop", name) is not None


async def test_a_pod_made_anew_under_its_name_is_not_the_one_that_was_planned_for(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock, EVICT, people(tmp_path, **ROLES)) as story:
        story.emulator.create(workload("StatefulSet", "app:v1", enabled="true"))
        await story.soak(6 * 60)
        unready(story, "db-1")
        await story.soak(5 * 60)
        story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "pod": "db-1"})
        await story.deliver()
        assert (await story.run()).state == "CLEARED", (await story.run()).why
        story.emulator.delete("pods", "shop", "db-1")
        await story.let(60)
        kim = Terminal(story, tmp_path / "kim", capsys)
        await kim.reads("runs", "approve", "1", "--yes")
        await story.settle()
        assert evictions(story) == []
