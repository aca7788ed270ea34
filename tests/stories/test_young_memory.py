"""A daemon installed after the last good version had its time: kube-state-metrics may have seen it."""

from datetime import timedelta
from pathlib import Path

import pytest

from remediator.sandbox.prometheus import Recorded
from tests.support.clock import DrivenClock
from tests.support.kube_state_metrics import healthy
from tests.support.story import ALERT, Story, deployment, told

HOUR = timedelta(hours=1)


async def a_release_before_our_time(story: Story) -> str:
    """v1 ran for an hour, v2 is out for four minutes, and only these have we seen; v1's ReplicaSet."""
    story.emulator.create(deployment("app:v1"))
    await story.clock.advance(HOUR.total_seconds())
    await story.emulator.catch_up()
    (replica_set,) = story.emulator.list("replicasets", "shop")
    story.release("app:v2")
    await story.let(4 * 60)
    return str(replica_set["metadata"]["name"])


async def test_without_another_witness_a_person_is_asked(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await a_release_before_our_time(story)
        await story.fire()
        assert story.image() == "app:v2"
        assert "ReplicaSet's age alone" in str((await story.run()).why)


async def test_what_kube_state_metrics_saw_is_good_enough_to_act(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        began = clock.now()
        replica_set = await a_release_before_our_time(story)
        story.prometheus.past = healthy(replica_set, HOUR, began + HOUR)
        await story.fire()
        assert story.image() == "app:v1"
        (evidence,) = [line for line in await story.journal() if "kube-state-metrics" in str(line.details)]
        assert "kube-state-metrics shows it fully available for 30m" in str(evidence.details)
        assert "'source': 'kube_state_metrics'" in str(evidence.details)


@pytest.mark.parametrize("witness", ["a gap", "the alert", "an outage"])
async def test_what_it_did_not_see_for_certain_changes_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock, witness: str
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        began = clock.now()
        replica_set = await a_release_before_our_time(story)
        past = healthy(replica_set, HOUR, began + HOUR)
        if witness == "a gap":
            cut = (began + HOUR - timedelta(minutes=20), began + HOUR - timedelta(minutes=16))
            past = [
                Recorded(each.labels, [pair for pair in each.samples if not cut[0] < pair[0] < cut[1]])
                for each in past
            ]
        if witness == "the alert":
            labels = {"__name__": "ALERTS", "alertname": "HighErrorRate", "alertstate": "firing"}
            past.append(
                Recorded(labels | {"namespace": "shop"}, [(began + HOUR - timedelta(minutes=20), 1.0)])
            )
        story.prometheus.past = past
        if witness == "an outage":
            ready = "kube_replicaset_status_ready_replicas"
            query = f'{ready}{{namespace="shop",replicaset="{replica_set}"}}[1800s]'
            story.prometheus.fail(query, 503, "unavailable", "the store is not ready")
        await story.fire()
        assert story.image() == "app:v2"
        assert "ReplicaSet's age alone" in str((await story.run()).why)


async def test_a_version_somebody_went_back_to_before_our_time_has_no_known_beginning(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    """Its ReplicaSet is old, and going back to it may have been the fix."""
    async with told(tmp_path, database_url, clock) as story:
        story.emulator.create(deployment("app:v1"))
        await unseen(story, HOUR.total_seconds())
        good = str(story.emulator.list("replicasets", "shop")[0]["metadata"]["name"])
        until = story.clock.now()
        for image in ("app:v2", "app:v3"):
            story.release(image)
            await unseen(story, 10 * 60)
        story.alertmanager.fire(ALERT)
        await unseen(story, 60)
        story.release("app:v2")
        await unseen(story, 60)
        story.prometheus.past = healthy(good, timedelta(minutes=30), until)
        await story.let(15)
        await story.deliver()
        assert story.effects() == []
        assert "taken up again" in ((await story.run()).why or "")


async def unseen(story: Story, seconds: float) -> None:
    """Time in which no daemon looked."""
    await story.clock.advance(seconds)
    await story.emulator.catch_up()
