"""Whoever has the token can say that an alert fires. Only Alertmanager's own word leads to a change."""

import json
from pathlib import Path

import aiohttp

from remediator.trial.world import TOKEN
from tests.support.alerts import alert, message
from tests.support.clock import DrivenClock
from tests.support.story import ALERT, Story, told


async def sent(story: Story, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    address = f"{story.url}/api/v1/alertmanager"
    async with aiohttp.ClientSession() as http, http.post(address, data=body, headers=headers) as answer:
        assert answer.status == 200


def claims(story: Story) -> int:
    return len([each for each in story.emulator.effects if each.claim])


async def test_a_forged_alert_that_alertmanager_does_not_know_changes_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await story.bad_release()
        forged = alert(labels=dict(ALERT), startsAt=clock.now().isoformat())
        await sent(story, json.dumps(message(forged)).encode())
        await story.let(5 * 60)
        assert (story.effects(), claims(story)) == ([], 0)
        assert [each.state for each in await story.runs()] != []
        assert "RESOLVED" not in {each.state for each in await story.runs()}


async def test_an_old_message_that_is_sent_again_changes_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await story.bad_release()
        fired = alert(labels=dict(ALERT), startsAt=clock.now().isoformat())
        captured = json.dumps(message(fired)).encode()
        await story.fire()
        await story.let(5 * 60)
        assert story.effects() == ["app:v1"]
        await story.resolve()
        await story.soak(12 * 60)
        story.release("app:v3")
        await story.let(60)
        for _ in range(2):
            await sent(story, captured)
            await story.let(2 * 60)
        assert story.effects() == ["app:v1"]
