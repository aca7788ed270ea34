"""What people are told: notices through the outbox, Events on the target, metrics, and a journal that explains."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from remediator.sandbox.loopback_server import LoopbackServer
from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, Story, told


class Receiver(LoopbackServer):
    """Somebody's webhook; remembers what it was sent."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        super().__init__([web.post("/notices", self._take)])

    async def _take(self, request: web.Request) -> web.Response:
        self.notices.append(json.loads(await request.text()))
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


def with_notifier(receiver: Receiver) -> dict[str, Any]:
    return {"notifiers": [{"webhook": {"url": f"{receiver.url}/notices"}}]}


async def test_the_change_and_the_ending_are_each_told_once(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, with_notifier(receiver)) as story:
        await story.bad_release()
        await story.fire()
        await story.resolve()
        await story.let(3 * 60)
    changed, ended = receiver.notices
    assert changed["title"] == "[CHANGED] bad-release on deployment/shop/api"
    assert "image app:v2 -> app:v1" in changed["text"]
    assert "Undo:" in changed["text"]
    assert ended["title"] == "[RESOLVED] bad-release on deployment/shop/api"
    assert ended["incident_id"] == changed["incident_id"]


async def test_a_dead_receiver_changes_nothing_and_is_told_when_it_lives_again(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, with_notifier(receiver)) as story:
        await story.bad_release()
        await receiver.stop()
        await story.fire()
        await story.resolve()
        await story.let(3 * 60)
        assert (await story.run()).state == "RESOLVED"
        await receiver.start()
        await story.let(20 * 60)
    assert [each["state"] for each in receiver.notices] == ["ACTED", "RESOLVED"]


async def test_a_refusal_is_told_with_its_reason(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, with_notifier(receiver)) as story:
        await story.create("app:v1")
        await story.let(2 * 3600, step=60)
        await story.fire()
    (notice,) = receiver.notices
    assert notice["state"] == "BLOCKED"
    assert "no earlier version is known good" in notice["text"]


async def test_every_effect_and_ending_is_an_event_on_the_target(story: Story) -> None:
    await story.bad_release()
    await story.fire()
    await story.resolve()
    await story.let(3 * 60)
    events = [
        each
        for each in story.emulator.list("events", "shop")
        if each.get("source", {}).get("component") == "remediator"
    ]
    assert sorted(each["reason"] for each in events) == ["RemediatorActed", "RemediatorResolved"]
    assert {each["involvedObject"]["name"] for each in events} == {"api"}


async def test_the_journal_explains_every_guard_with_its_inputs(story: Story) -> None:
    await story.bad_release()
    await story.fire()
    guards = {line.details["guard"]: line.details for line in await story.journal() if line.kind == "guard"}
    assert set(guards) == {
        "this_cluster",
        "rule_in_force",
        "protected",
        "opted_in",
        "pause",
        "storm",
        "freeze",
        "monitoring_fresh",
        "alert_still_firing",
        "caused_by_rollout",
        "rollout_in_progress",
        "human_active",
        "as_planned",
        "owner",
        "floor",
        "quota",
        "autoscaled",
        "siblings",
        "migration",
        "node_trouble",
        "breaker",
        "budget",
        "ping_pong",
    }
    assert all(each["answer"] == "allow" and each["observed_at"] for each in guards.values())
    assert guards["caused_by_rollout"]["inputs"]["source"] == "memory"


async def test_what_every_guard_said_last_before_the_write_stands_beside_the_intent(story: Story) -> None:
    await story.bad_release()
    await story.fire()
    lines = await story.journal()
    (intent,) = [each for each in lines if each.kind == "intent"]
    before = {each.details["guard"] for each in lines if each.kind == "guard" and each.id < intent.id}
    beside = [each for each in lines if each.kind == "guard" and each.id > intent.id]
    assert {each.details["guard"] for each in beside} == before
    assert {each.at for each in beside} == {intent.at}


async def test_metrics_count_what_happened(story: Story) -> None:
    await story.bad_release()
    await story.fire()
    await story.daemon.gauges.tick()
    text = story.daemon.metrics.exposition().decode()
    for line in (
        'remediator_actions_total{action="rollback",outcome="applied"} 1.0',
        'remediator_runs{state="ACTED"} 1.0',
        'remediator_rule_mode{configured="act",effective="act",held_by="nothing",rule="bad-release"} 1.0',
        'remediator_dispositions_total{disposition="planned"} 1.0',
        "remediator_config_last_reload_successful 1.0",
    ):
        assert line in text
    assert 'guard="caused_by_rollout"' in text
