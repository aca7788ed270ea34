"""StatefulSets and DaemonSets: opted in by themselves, rolled back by their ControllerRevisions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.clock import DrivenClock
from tests.support.sets import workload
from tests.support.story import RESTART, ROLLBACK, TOKEN, Story, told

SOAK = 35 * 60.0


async def released(story: Story, kind: str, image: str, *, enabled: str | None = "act", **spec: Any) -> None:
    """v1 has soaked, this image was rolled out four minutes ago, and the alert fires."""
    story.emulator.create(workload(kind, "app:v1", enabled=enabled, **spec))
    await story.let(30)
    await story.let(SOAK)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    story.emulator.patch(kind, "shop", "db", change, user="somebody", manager="kubectl")
    await story.let(4 * 60)
    story.alertmanager.fire(
        {"alertname": "HighErrorRate", "namespace": "shop", kind.lower(): "db", "severity": "critical"}
    )
    await story.deliver()


def image(story: Story, kind: str) -> str:
    found = story.emulator.get(kind, "shop", "db")
    assert found is not None
    wanted: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return wanted


def images_of_pods(story: Story) -> list[str]:
    return [each["spec"]["containers"][0]["image"] for each in story.emulator.list("pods", "shop")]


def effects(story: Story) -> list[str]:
    """What the daemon changed, claims and Events left out."""
    return [
        f"{each.verb} {each.resource}"
        for each in story.emulator.effects
        if each.user == "remediator" and not each.claim and each.resource != "events"
    ]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_bad_release_of_a_set_is_rolled_back(story: Story, kind: str) -> None:
    await released(story, kind, "app:v2")
    assert image(story, kind) == "app:v1"
    await story.let(3 * 60)
    assert set(images_of_pods(story)) == {"app:v1"}
    assert (await story.run()).state == "ACTED"


@pytest.mark.parametrize("bad", ["app:missing-v2", "app:crash-v2", "app:never-ready-v2"])
async def test_a_stuck_statefulset_gets_its_template_back_and_its_broken_pod_evicted(
    story: Story, bad: str
) -> None:
    await released(story, "StatefulSet", bad)
    await story.let(60)
    assert effects(story) == ["patch statefulsets", "create pods"]
    assert images_of_pods(story) == ["app:v1", "app:v1"]
    story.alertmanager.resolve(
        {"alertname": "HighErrorRate", "namespace": "shop", "statefulset": "db", "severity": "critical"}
    )
    await story.deliver()
    await story.let(3 * 60)
    assert (await story.run()).state == "RESOLVED"


async def test_with_parallel_pod_management_no_pod_has_to_be_evicted(story: Story) -> None:
    await released(story, "StatefulSet", "app:crash-v2", podManagementPolicy="Parallel")
    await story.let(60)
    assert effects(story) == ["patch statefulsets"]
    assert images_of_pods(story) == ["app:v1", "app:v1"]


async def test_a_budget_that_allows_no_eviction_stops_it_and_people_take_over(story: Story) -> None:
    budget = {"selector": {"matchLabels": {"app": "db"}}, "maxUnavailable": 0}
    story.emulator.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "db", "namespace": "shop"},
            "spec": budget,
        }
    )
    await released(story, "StatefulSet", "app:crash-v2")
    await story.let(60)
    run = await story.run()
    assert (run.state, effects(story)) == ("ESCALATED", ["patch statefulsets"])
    assert "disruption budget" in (run.why or "")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_set_that_has_not_opted_in_by_itself_is_left_alone(story: Story, kind: str) -> None:
    await released(story, kind, "app:v2", enabled=None)
    run = await story.run()
    assert (run.state, effects(story)) == ("BLOCKED", [])
    assert f"a {kind} is opted in by itself" in (run.why or "")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_set_that_has_opted_in_is_changed_with_a_persons_yes_only(story: Story, kind: str) -> None:
    await released(story, kind, "app:v2", enabled="true")
    run = await story.run()
    assert (run.state, effects(story)) == ("CLEARED", [])
    assert "with a person's yes" in (run.why or "")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_with_on_delete_a_template_put_back_would_help_nobody(story: Story, kind: str) -> None:
    await released(story, kind, "app:v2", updateStrategy={"type": "OnDelete"})
    run = await story.run()
    assert (run.state, effects(story)) == ("BLOCKED", [])
    assert "OnDelete" in (run.why or "")


async def test_behind_a_partition_only_the_released_pods_go_back(story: Story) -> None:
    partition = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    story.emulator.create(workload("StatefulSet", "app:v1"))
    await story.let(30)
    await story.let(SOAK)
    change: dict[str, Any] = {
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}
    }
    change["spec"] |= {"updateStrategy": partition}
    story.emulator.patch("StatefulSet", "shop", "db", change, user="somebody", manager="kubectl")
    await story.let(4 * 60)
    assert sorted(images_of_pods(story)) == ["app:v1", "app:v2"]
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "statefulset": "db"})
    await story.deliver()
    await story.let(60)
    assert images_of_pods(story) == ["app:v1", "app:v1"]
    assert effects(story) == ["patch statefulsets"]


async def without_a_probe(story: Story) -> None:
    """Three pods that the bad release reached all, because without a probe each was ready for a moment."""
    made = workload("StatefulSet", "app:v1", replicas=3)
    del made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    story.emulator.create(made)
    await story.let(SOAK)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:crash-v2"}]}}}}
    story.emulator.patch("StatefulSet", "shop", "db", change, user="somebody", manager="kubectl")
    await story.let(4 * 60)
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "statefulset": "db"})


@pytest.fixture
async def roomy(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    """A story whose budgets hold a plan of four changes; the usual ones hold two."""
    budgets = {"in_namespace": 4, "unsettled": 4}
    async with told(tmp_path, database_url, clock, ROLLBACK, {"budgets": budgets}) as made:
        yield made


async def test_a_plan_larger_than_the_budget_is_not_begun(story: Story) -> None:
    await without_a_probe(story)
    await story.deliver()
    run = await story.run()
    assert (run.state, effects(story)) == ("BLOCKED", [])
    assert "the plan makes 4 changes and the budget is 2 effects in 10m in namespace shop" in (run.why or "")


async def test_a_broken_pod_that_goes_away_by_itself_holds_up_no_other(roomy: Story) -> None:
    story = roomy
    await without_a_probe(story)
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN)
    daemon = story.daemon
    for tick in (daemon.reader.tick, daemon.planner.tick):
        while await tick():
            pass
    while not effects(story):
        assert await daemon.worker.tick()
    broken = [
        each["metadata"]["name"]
        for each in story.emulator.list("pods", "shop")
        if each["spec"]["containers"][0]["image"] == "app:crash-v2"
    ]
    story.emulator.delete("pods", "shop", broken[0])
    ticks = 0
    while await daemon.worker.tick():
        ticks += 1
        assert ticks < 50, "it goes round and round"
    await story.let(3 * 60)
    assert (await story.run()).state == "ACTED"
    assert set(images_of_pods(story)) == {"app:v1"}


@pytest.mark.parametrize("of", ["target", "rule", "namespace", "everything"])
async def test_a_limit_of_one_effect_leaves_no_half_a_cure(
    tmp_path: Path, database_url: str, clock: DrivenClock, of: str
) -> None:
    limit = f"guards: [{{limit: {{effects: 1, per: 6h, of: {of}}}}}]\n    actions:"
    async with told(tmp_path, database_url, clock, ROLLBACK.replace("actions:", limit)) as story:
        await released(story, "StatefulSet", "app:missing-v2")
        await story.let(60)
        assert effects(story) == ["patch statefulsets", "create pods"]


async def test_an_eviction_that_a_busy_server_puts_off_is_made_later(story: Story) -> None:
    busy = AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "1"})
    laid = story.emulator.faults.add(Fault("POST", "/eviction$", busy))
    await released(story, "StatefulSet", "app:missing-v2")
    await story.let(60)
    assert laid.hits == 1, "the fault did not fire: the test proves nothing"
    assert effects(story) == ["patch statefulsets", "create pods"]


async def only_the_template_is_back(story: Story, manager: str = "kubectl") -> dict[str, str]:
    """The first of two changes has just been made; the alert that made the run."""
    story.emulator.create(workload("StatefulSet", "app:v1"), user=manager, manager=manager)
    await story.let(SOAK)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:crash-v2"}]}}}}
    story.emulator.patch("StatefulSet", "shop", "db", change, user=manager, manager=manager)
    await story.let(4 * 60)
    alert = {"alertname": "HighErrorRate", "namespace": "shop", "statefulset": "db"}
    story.alertmanager.fire(alert)
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN)
    daemon = story.daemon
    for tick in (daemon.reader.tick, daemon.planner.tick):
        while await tick():
            pass
    while not effects(story):
        assert await daemon.worker.tick()
    return alert


async def test_the_second_change_is_made_although_the_alert_cleared_and_a_pipeline_had_released(
    story: Story,
) -> None:
    """The alert clears as soon as the template is back, and half a cure would be left."""
    story.alertmanager.resolve(await only_the_template_is_back(story, manager="helm"))
    await story.deliver()
    assert effects(story) == ["patch statefulsets", "create pods"]


async def test_a_silence_stops_the_second_change_as_well(story: Story) -> None:
    await only_the_template_is_back(story)
    silence = story.alertmanager.silence({"alertname": "HighErrorRate"})
    await story.let(2 * 60)
    assert effects(story) == ["patch statefulsets"]
    story.alertmanager.unsilence(silence)
    await story.let(60)
    assert effects(story) == ["patch statefulsets", "create pods"]


async def test_a_pod_that_may_not_be_read_is_told_and_ends_the_run(story: Story) -> None:
    await only_the_template_is_back(story)
    story.emulator.faults.add(Fault("GET", "/pods/db-[01]$", AnswerStatus(403, "Forbidden"), times=10_000))
    await story.let(60)
    assert "403" in ((await story.run()).why or "")
    await story.let(65 * 60, step=60)
    assert ((await story.run()).state, effects(story)) == ("ESCALATED", ["patch statefulsets"])


async def test_a_daemonset_whose_pod_hangs_long_after_its_release_is_restarted(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        story.emulator.create(workload("DaemonSet", "app:v1"))
        await story.let(SOAK)
        story.unready()
        await story.let(4 * 60)
        story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "daemonset": "db"})
        await story.deliver()
        assert effects(story) == ["patch daemonsets"]


async def test_a_daemonset_that_never_ran_well_is_not_restarted(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await released(story, "DaemonSet", "app:never-ready-v2")
        assert ((await story.run()).state, effects(story)) == ("BLOCKED", [])
