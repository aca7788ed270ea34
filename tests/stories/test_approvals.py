"""People are asked before a change, and what they agreed to is what is done: once, in time, and nothing else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from remediator.app import assembled
from remediator.domain.levels import Level
from remediator.runbook.worker import Worker
from remediator.store.runs import RunSummary
from tests.stories.test_asked_for import asked_for
from tests.support.clock import DrivenClock
from tests.support.people import Someone, people
from tests.support.story import ROLLBACK, Story, told

ASK = ROLLBACK.replace("mode: act", "mode: ask")
ROLES = {
    "kim": ("view", "approve", "operate"),
    "sam": ("view", "approve"),
    "alex": ("view", "approve"),
    "guest": ("view",),
}


@dataclass
class Asked:
    """A story in which a bad release was alerted about, and its people."""

    story: Story
    kim: Someone
    sam: Someone
    alex: Someone
    guest: Someone

    @property
    async def run(self) -> RunSummary:
        return await self.story.run()

    async def digest(self) -> str:
        """The plan people are asked about now."""
        return str((await self.guest.asked(1))["digest"])

    async def notices(self) -> list[str]:
        """The Events on the target that ask for something."""
        events = self.story.emulator.list("events", "shop")
        return [each["message"] for each in events if each["reason"] == "RemediatorAsks"]


@asynccontextmanager
async def asking(
    tmp_path: Path,
    database_url: str,
    clock: DrivenClock,
    rules: str = ASK,
    levels: Mapping[str, Level] | None = None,
    settings: Mapping[str, Any] | None = None,
    asked_for_by: str | None = None,
) -> AsyncIterator[Asked]:
    """A rule in mode ask, a bad release, and the alert about it, or somebody who asks for the rule instead."""
    chosen = {**people(tmp_path, **ROLES), **(settings or {})}
    async with told(tmp_path, database_url, clock, rules, chosen) as story:
        if levels is not None:
            desk = replace(story.daemon.worker._desk, levels=levels)
            story.daemon = replace(story.daemon, worker=Worker(desk, 15.0))
        marks: Any = {"remediator.io/migration-job": "up"}
        await story.create("app:v1", **marks)
        await story.soak(35 * 60)
        story.release("app:v2")
        await story.let(4 * 60)
        await (story.fire() if asked_for_by is None else asked_for(story, asked_for_by))
        yield Asked(story, *(Someone.named(each, story.url) for each in ROLES))


@pytest.fixture
async def asked(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Asked]:
    async with asking(tmp_path, database_url, clock) as made:
        yield made


@asynccontextmanager
async def another_daemon(story: Story, clock: DrivenClock, **settings: Any) -> AsyncIterator[Story]:
    """The daemon is gone; another one with these settings takes over its database."""
    changed = story.daemon.settings.model_validate({**dict(story.daemon.settings), **settings})
    async with assembled(changed, clock) as daemon:
        await daemon.rules.reload()
        story.daemon = daemon
        yield story


async def test_a_plan_waits_until_a_person_agrees_and_is_then_carried_out(asked: Asked) -> None:
    story = asked.story
    await story.let(5 * 60)
    run = await story.run()
    assert (run.state, story.effects()) == ("CLEARED", [])
    digest = await asked.digest()
    assert digest in (run.why or "")

    answer = await asked.kim.approve(1, why="seen the logs")
    assert answer.status == 200, answer
    await story.settle()
    assert story.effects() == ["app:v1"], "an answer makes the run due at once"
    await story.let(60)
    await story.resolve()
    await story.let(2 * 60)
    assert (await story.run()).state == "RESOLVED"

    (kept,) = (await asked.guest.run(1))["approvals"]
    assert kept["used_at"] is not None
    assert [(each["who"], each["why"]) for each in kept["answers"]] == [("kim", "seen the logs")]
    said = [each.text for each in await story.journal() if each.kind == "approval"]
    assert said == [f"kim agreed to plan {digest}: seen the logs"]


async def test_the_notice_says_exactly_what_is_asked_of_whom_until_when(asked: Asked) -> None:
    (notice,) = await asked.notices()
    expected = (
        "app:v2",
        "app:v1",
        "the rule is in mode ask",
        "one of kim, sam, alex",
        f"remediator runs approve 1 {await asked.digest()}",
        "remediator runs decline 1",
        "until 12:54:30 UTC",
    )
    for each in expected:
        assert each in notice, each
    await asked.story.let(10 * 60)
    assert len(await asked.notices()) == 1, "people are asked once"


async def test_a_no_ends_it(asked: Asked) -> None:
    assert (await asked.kim.decline(1, "it is the database")).status == 200
    await asked.story.settle()
    run = await asked.run
    assert (run.state, run.why) == ("DECLINED", "kim said no: it is the database")
    await asked.story.let(5 * 60)
    assert asked.story.effects() == []


async def test_a_request_expires_and_a_later_yes_changes_nothing(asked: Asked) -> None:
    digest = await asked.digest()
    await asked.story.let(15 * 60 + 15)
    run = await asked.run
    assert run.state == "BLOCKED"
    assert "nobody agreed until 12:54:30 UTC" in (run.why or "")
    late = await asked.kim.approve(1, digest)
    assert late.status == 409, late
    await asked.story.let(60)
    assert asked.story.effects() == []


async def test_a_yes_at_the_last_moment_that_nothing_looked_at_in_time_expires(
    asked: Asked, clock: DrivenClock
) -> None:
    await clock.advance(15 * 60 - 1)
    assert (await asked.kim.approve(1)).status == 200
    await clock.advance(2)
    await asked.story.settle()
    run = await asked.run
    assert run.state == "BLOCKED"
    assert "kim agreed, but the approval expired" in (run.why or "")
    assert asked.story.effects() == []


async def test_a_yes_to_another_plan_is_none_and_the_right_plan_is_named(asked: Asked) -> None:
    for other in ("0123456789abcdef", "", "*", (await asked.digest()).upper() + " "):
        answer = await asked.kim.approve(1, other)
        assert answer.status in (400, 409), answer
        if answer.status == 409:
            assert await asked.digest() in answer.json["error"]
    assert (await asked.kim.send("POST", "/api/v1/runs/1/approve", {})).status == 400
    assert (await asked.kim.send("POST", "/api/v1/runs/99/approve", {"digest": "x"})).status == 404
    await asked.story.settle()
    assert asked.story.effects() == []


async def test_an_approval_is_used_once(asked: Asked) -> None:
    digest = await asked.digest()
    assert (await asked.kim.approve(1, digest)).status == 200
    twice = await asked.kim.approve(1, digest)
    assert (twice.status, "already" in twice.json["error"]) == (409, True)
    await asked.story.settle()
    for again in (await asked.sam.approve(1, digest), await asked.sam.decline(1, digest=digest)):
        assert (again.status, "used" in again.json["error"]) == (409, True)
    await asked.story.let(5 * 60)
    assert asked.story.effects() == ["app:v1"]


async def test_only_the_role_approve_answers(asked: Asked) -> None:
    nobody = Someone(asked.story.url, {})
    digest = await asked.digest()
    assert (await nobody.approve(1, digest)).status == 401
    assert (await asked.guest.approve(1, digest)).status == 403
    assert (await asked.guest.decline(1)).status == 403
    await asked.story.settle()
    assert (await asked.run).state == "CLEARED"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_only_a_post_answers(asked: Asked, method: str) -> None:
    digest = await asked.digest()
    for path in (f"/api/v1/runs/1/approve?digest={digest}&why=x", "/api/v1/runs/1/decline?why=x"):
        answer = await asked.kim.send(method, path, {"digest": digest, "why": "x"})
        assert answer.status == 405, answer
    await asked.story.settle()
    assert (await asked.guest.asked(1))["answers"] == []
    assert (await asked.run).state == "CLEARED"


async def test_an_alert_that_clears_while_people_are_asked_ends_it(asked: Asked) -> None:
    await asked.story.resolve()
    await asked.story.let(30)
    assert (await asked.run).state == "CANCELLED"
    assert (await asked.kim.approve(1, "0123456789abcdef")).status == 409
    assert asked.story.effects() == []


async def test_what_is_asked_anew_has_to_be_agreed_to_anew(asked: Asked) -> None:
    before = await asked.digest()
    assert (await asked.kim.approve(1)).status == 200
    asked.story.emulator.create(_ended_job(asked.story))
    await asked.story.settle()
    run = await asked.run
    assert (run.state, asked.story.effects()) == ("CLEARED", [])
    assert f"what was asked has changed since kim agreed to plan {before}" in (run.why or "")
    after = await asked.guest.asked(1)
    assert after["digest"] != before
    assert any("migration" in each for each in after["asked"])
    assert len(await asked.notices()) == 2
    assert (await asked.kim.approve(1, before)).status == 409
    assert (await asked.kim.approve(1, after["digest"])).status == 200
    await asked.story.settle()
    assert asked.story.effects() == ["app:v1"]


def _ended_job(story: Story) -> dict[str, Any]:
    at = story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "up", "namespace": "shop"},
        "status": {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": at}]},
    }


async def test_a_template_that_changed_after_the_yes_is_not_touched(asked: Asked) -> None:
    assert (await asked.kim.approve(1)).status == 200
    asked.story.release("app:v3")
    await asked.story.let(60)
    assert asked.story.effects() == []
    assert (await asked.run).state == "BLOCKED"


async def test_somebody_may_say_no_until_the_change_is_begun(asked: Asked) -> None:
    assert (await asked.kim.approve(1)).status == 200
    assert await asked.story.daemon.worker.tick()
    assert (await asked.run).state == "APPROVED"
    assert (await asked.sam.decline(1, "wait for me")).status == 200
    await asked.story.settle()
    run = await asked.run
    assert (run.state, run.why) == ("DECLINED", "sam said no: wait for me")
    assert asked.story.effects() == []


async def test_whoever_agreed_may_take_it_back(asked: Asked) -> None:
    assert (await asked.kim.approve(1)).status == 200
    assert (await asked.kim.decline(1, "wrong service")).status == 200
    await asked.story.settle()
    assert (await asked.run).state == "DECLINED"
    assert asked.story.effects() == []


@pytest.mark.parametrize("moved", [0, 1])
async def test_an_approval_expires_while_a_guard_holds_the_change(asked: Asked, moved: int) -> None:
    assert (await asked.kim.approve(1)).status == 200
    for _ in range(moved):
        assert await asked.story.daemon.worker.tick()
    pause = {"scope": "everything", "value": "", "why": "wait"}
    assert (await asked.kim.send("POST", "/api/v1/pauses", pause)).status == 201
    await asked.story.let(16 * 60)
    assert (await asked.kim.send("POST", "/api/v1/pauses/1/resume", {"why": "on"})).status == 200
    await asked.story.let(2 * 60)
    run = await asked.run
    assert run.state == "BLOCKED"
    assert "expired" in (run.why or "")
    assert asked.story.effects() == []


@pytest.mark.parametrize("moved", [0, 1])
async def test_another_daemon_goes_on_after_a_crash(asked: Asked, clock: DrivenClock, moved: int) -> None:
    assert (await asked.kim.approve(1)).status == 200
    for _ in range(moved):
        assert await asked.story.daemon.worker.tick()
    async with another_daemon(asked.story, clock) as story:
        await story.let(60)
        assert story.effects() == ["app:v1"]


async def test_whoever_lost_the_role_is_not_counted_and_others_are_asked(
    asked: Asked, clock: DrivenClock, tmp_path: Path
) -> None:
    assert (await asked.kim.approve(1)).status == 200
    without_kim = people(tmp_path, **{**ROLES, "kim": ("view",)})
    async with another_daemon(asked.story, clock, **without_kim) as story:
        await story.settle()
        run = await story.run()
        assert (run.state, story.effects()) == ("CLEARED", [])
        assert "kim, who agreed, lacks the role approve now" in (run.why or "")
        assert (await asked.sam.approve(1)).status == 200
        await story.settle()
        assert story.effects() == ["app:v1"]


async def test_whoever_lost_the_role_just_before_the_write_is_not_counted(
    asked: Asked, clock: DrivenClock, tmp_path: Path
) -> None:
    assert (await asked.kim.approve(1)).status == 200
    assert await asked.story.daemon.worker.tick()
    assert (await asked.run).state == "APPROVED"
    without_kim = people(tmp_path, **{each: roles for each, roles in ROLES.items() if each != "kim"})
    async with another_daemon(asked.story, clock, **without_kim) as story:
        await story.let(60)
        run = await story.run()
        assert run.state == "BLOCKED"
        assert "kim, who agreed, lacks the role approve now" in (run.why or "")
        assert story.effects() == []


async def test_a_yes_more_than_needed_takes_nothing_away_when_it_counts_no_more(
    asked: Asked, clock: DrivenClock, tmp_path: Path
) -> None:
    assert (await asked.kim.approve(1)).status == 200
    assert (await asked.sam.approve(1)).status == 200
    without_kim = people(tmp_path, **{**ROLES, "kim": ("view",)})
    async with another_daemon(asked.story, clock, **without_kim) as story:
        await story.let(60)
        run = await story.run()
        assert (story.effects(), run.state) == (["app:v1"], "ACTED"), run.why


async def test_two_different_people_are_asked_where_data_is_at_stake(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    levels = {"rollback": Level.G3}
    async with asking(tmp_path, database_url, clock, ROLLBACK, levels) as asked:
        request = await asked.guest.asked(1)
        assert (request["level"], request["people"]) == ("G3", 2)
        assert (await asked.kim.approve(1)).status == 200
        await asked.story.settle()
        run = await asked.run
        assert (run.state, asked.story.effects()) == ("CLEARED", [])
        assert "1 of 2 people agreed (kim)" in (run.why or "")
        assert (await asked.kim.approve(1)).status == 409
        assert (await asked.sam.approve(1)).status == 200
        await asked.story.settle()
        assert asked.story.effects() == ["app:v1"]


async def test_whoever_asked_for_a_run_is_none_of_the_two_who_agree(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    levels = {"rollback": Level.G3}
    async with asking(tmp_path, database_url, clock, ROLLBACK, levels, asked_for_by="kim") as asked:
        assert (await asked.guest.asked(1))["requester"] == "kim"
        assert "2 of kim, sam, alex, not the one who asked for it" in (await asked.notices())[0]
        refused = await asked.kim.approve(1)
        assert (refused.status, "kim asked for this run" in refused.json["error"]) == (403, True)
        assert (await asked.sam.approve(1)).status == 200
        await asked.story.settle()
        assert ((await asked.run).state, asked.story.effects()) == ("CLEARED", [])
        assert (await asked.alex.approve(1)).status == 200
        await asked.story.settle()
        assert asked.story.effects() == ["app:v1"]


async def test_whoever_asked_for_a_run_may_agree_where_one_is_asked(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    levels = {"rollback": Level.G2}
    async with asking(tmp_path, database_url, clock, ROLLBACK, levels, asked_for_by="kim") as asked:
        assert (await asked.kim.approve(1)).status == 200
        await asked.story.settle()
        assert asked.story.effects() == ["app:v1"]


async def test_one_yes_of_two_is_none(tmp_path: Path, database_url: str, clock: DrivenClock) -> None:
    levels = {"rollback": Level.G3}
    async with asking(tmp_path, database_url, clock, ROLLBACK, levels) as asked:
        assert (await asked.kim.approve(1)).status == 200
        await asked.story.let(16 * 60)
        run = await asked.run
        assert run.state == "BLOCKED"
        assert "only kim agreed" in (run.why or "")
        assert asked.story.effects() == []


@pytest.mark.parametrize("levels", [{}, {"rollback": Level.G4}], ids=["unknown", "G4"])
async def test_what_is_peoples_own_is_never_made(
    tmp_path: Path, database_url: str, clock: DrivenClock, levels: Mapping[str, Level]
) -> None:
    async with asking(tmp_path, database_url, clock, ROLLBACK, levels) as asked:
        run = await asked.run
        assert run.state == "BLOCKED"
        assert "G4" in (run.why or "")
        assert asked.story.effects() == []


async def test_how_long_requests_wait_can_be_set_and_is_measured(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    shorter = {"approvals": {"expire_after": "2m"}}
    async with asking(tmp_path, database_url, clock, settings=shorter) as asked:
        metrics = asked.story.daemon.metrics.registry
        await asked.story.let(60)
        await asked.story.daemon.gauges.tick()
        assert metrics.get_sample_value("remediator_pending_approvals") == 1
        assert metrics.get_sample_value("remediator_oldest_pending_approval_seconds") == 60
        await asked.story.let(75)
        await asked.story.daemon.gauges.tick()
        assert metrics.get_sample_value("remediator_pending_approvals") == 0
        assert metrics.get_sample_value("remediator_oldest_pending_approval_seconds") == 0
        assert (await asked.run).state == "BLOCKED"
