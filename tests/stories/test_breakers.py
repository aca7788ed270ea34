"""What was tried and failed is not tried for ever: the target is left to people, and the rule is brought down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from remediator.domain.notice import Notice
from remediator.domain.target import Target
from remediator.store import breakers, rule_versions
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import ALERT, RESTART, ROLLBACK, Story, told
from tests.support.terminal import ROLES, Terminal

API = Target(cluster="default", kind="deployment", namespace="shop", name="api")
HELPED = RESTART.replace("alert_cleared: {for: 1m, within: 45m}", "alert_cleared: {for: 30s, within: 45m}")
BOTH = ROLLBACK + RESTART.partition("rules:")[2].replace("HighErrorRate", "Hung")


async def notices(story: Story) -> list[Notice]:
    async with story.daemon.database.connection() as connection:
        rows = await connection.fetch("select payload from outbox order by id")
    return [Notice(**row["payload"]) for row in rows]


async def leaks_again(story: Story, **labels: str) -> None:
    """The alert fires, is acted on or not, and clears two minutes later; ten minutes on nothing is left to settle."""
    await story.fire(**labels)
    await story.let(2 * 60, step=30)
    await story.resolve(**labels)
    await story.let(90)
    await story.let(11 * 60, step=330)


async def test_a_leak_that_a_restart_helps_for_ten_minutes_ends_with_people_in_the_third_round(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, HELPED) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        for _ in range(6):
            await leaks_again(story)
        states = [each.state for each in await story.runs()]
        assert states[:3] == ["RESOLVED", "RESOLVED", "ESCALATED"]
        assert set(states[3:]) == {"ESCALATED"}
        assert len(story.effects()) == 2, "after that nothing acts"
        third = (await story.runs())[2]
        assert "deployment/shop/api is left to people" in (third.why or "")
        assert "restart at " in (third.why or "")
        evidence = [each for each in await story.journal() if each.kind == "evidence"]
        assert evidence, "it is handed over with what was seen"
        (left,) = {each.key: each for each in await notices(story) if "LEFT TO PEOPLE" in each.title}.values()
        assert "by run 1 of hung helped, and its alert came back at" in left.text
        assert "remediator breakers close deployment/shop/api" in left.text


async def test_it_acts_again_when_a_person_closes_the_breaker_and_when_its_time_is_over(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    settings = {"breakers": {"openings": 1000}}
    async with told(tmp_path, database_url, clock, HELPED, settings) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        for _ in range(3):
            await leaks_again(story)
        assert len(story.effects()) == 2
        async with story.daemon.database.transaction() as connection:
            (opening,) = await breakers.all_open(connection)
            assert opening.rules == ("hung",)
            assert await breakers.close(connection, API, "kim", "looked into it") is not None
            assert await breakers.close(connection, API, "kim", "again") is None
        await story.clock.advance(60 * 60)
        await leaks_again(story)
        await leaks_again(story)
        assert len(story.effects()) == 4
        await leaks_again(story)
        async with story.daemon.database.transaction() as connection:
            assert len(await breakers.all_open(connection)) == 1
        await story.clock.advance(24 * 60 * 60)
        await leaks_again(story)
        assert len(story.effects()) == 5, (await story.run()).why


async def test_failures_of_different_rules_on_one_target_count_together(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, BOTH) as story:
        await story.bad_release()
        await story.fire()
        await story.let(48 * 60, step=120)
        assert [each.state for each in await story.runs()][:1] == ["ESCALATED"], "the alert never cleared"
        await story.resolve()
        await story.let(8 * 60, step=120)
        await leaks_again(story, alertname="Hung")
        await leaks_again(story, alertname="Hung")
        last = await story.run()
        assert (last.rule, last.state) == ("hung", "ESCALATED")
        assert "rollback at" in (last.why or "")
        assert "restart at" in (last.why or "")
        assert len(story.effects()) == 2


async def test_another_target_is_not_left_to_people(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, HELPED) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        for _ in range(3):
            await leaks_again(story)
        other = Target(cluster="default", kind="deployment", namespace="shop", name="web")
        async with story.daemon.database.connection() as connection:
            rule = story.daemon.settings.breakers
            assert (await breakers.of_target(connection, API, rule)).why_open is not None
            assert (await breakers.of_target(connection, other, rule)).why_open is None


async def test_an_alert_that_comes_for_the_first_time_later_is_no_failure(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, BOTH) as story:
        await story.bad_release()
        await story.fire()
        await story.let(60)
        await story.resolve()
        await story.let(12 * 60, step=60)
        assert (await story.run()).state == "RESOLVED"
        await story.fire(alertname="SloBurn")
        await story.let(60)
        async with story.daemon.database.connection() as connection:
            state = await breakers.of_target(connection, API, story.daemon.settings.breakers)
        assert state.failures == ()


SLOW = ROLLBACK.replace("""'{alertname="HighErrorRate"}'""", """'{alertname=~"HighErrorRate|SloBurn"}'""")


async def test_a_run_of_the_rule_that_changes_nothing_is_no_sign_that_the_cure_failed(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, SLOW) as story:
        await story.bad_release()
        await story.fire()
        await story.let(60)
        await story.resolve()
        await story.let(12 * 60, step=60)
        assert (await story.run()).state == "RESOLVED"
        await story.fire(alertname="SloBurn")
        await story.let(60)
        assert [each.state for each in await story.runs()] == ["RESOLVED", "BLOCKED"]
        async with story.daemon.database.connection() as connection:
            state = await breakers.of_target(connection, API, story.daemon.settings.breakers)
        assert state.failures == ()


async def demoted_by(story: Story, rounds: int, settings: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The mode of the rule after so many openings of the breaker, each closed by a person."""
    for _ in range(rounds):
        while not await _opened(story):
            await leaks_again(story)
    mode = (await story.daemon.rules.modes())[0]
    return mode.effective, mode.why


async def _opened(story: Story) -> bool:
    async with story.daemon.database.transaction() as connection:
        return await breakers.close(connection, API, "kim", "once more") is not None


async def test_a_rule_that_opens_breakers_again_and_again_is_brought_down_until_it_is_approved(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    settings = {"breakers": {"failures": 1}}
    async with told(tmp_path, database_url, clock, HELPED, settings) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        assert (await demoted_by(story, 1))[0] == "act"
        mode, why = await demoted_by(story, 1)
        assert mode == "ask"
        assert "2 times what it did opened a breaker (deployment/shop/api)" in why
        await story.let(15)
        async with story.daemon.database.connection() as connection:
            said = await connection.fetch("select text from journal where kind = 'rule_mode'")
        (demoted,) = (each["text"] for each in said)
        assert demoted.startswith(
            "[DEMOTED] rule hung may go no further than ask: demoted: 2 times what it did"
        )
        before = len(story.effects())
        await leaks_again(story)
        assert ((await story.run()).mode, len(story.effects())) == ("ask", before)
        digest = story.daemon.rules.rules()[0].digest
        async with story.daemon.database.transaction() as connection:
            assert await rule_versions.approve(connection, digest, "kim") is not None
        assert (await story.daemon.rules.modes())[0].effective == "act"


async def test_a_demotion_is_told_once_although_a_ceiling_holds_the_rule_there_already(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"ceiling": "ask", "breakers": {"failures": 1, "openings": 1}, **people(tmp_path, **ROLES)}
    async with told(tmp_path, database_url, clock, HELPED, settings) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        await story.fire()
        await Terminal(story, tmp_path / "kim", capsys).reads("runs", "approve", "1", "--yes")
        await story.let(2 * 60, step=30)
        await story.resolve()
        await story.let(2 * 60, step=30)
        await story.let(11 * 60, step=330)
        await story.fire()
        await story.let(2 * 60, step=30)
        async with story.daemon.database.connection() as connection:
            said = await connection.fetch("select text from journal where kind = 'rule_mode' order by id")
        assert [each["text"].partition(":")[0] for each in said] == [
            "[DISARMED] rule hung may not go as far as its file says",
            "[DEMOTED] rule hung may go no further than ask",
        ]
        demoted = [each for each in await notices(story) if each.title.startswith("[DEMOTED]")]
        assert len(demoted) == 1


async def test_restarts_of_a_target_are_two_in_an_hour_and_four_in_a_day(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    """With breakers that never open: a service that hangs again a quarter of an hour after each restart."""
    settings = {"breakers": {"failures": 1000}}
    async with told(tmp_path, database_url, clock, HELPED, settings) as story:
        await story.create("app:v1")
        await story.let(60, step=60)
        for _ in range(6):
            await leaks_again(story)
        assert len(story.effects()) == 3, "two in the first hour, one when the first is an hour ago"
        for _ in range(8):
            await leaks_again(story)
        assert len(story.effects()) == 4
        assert "it was restarted 4 times in 1d already" in ((await story.run()).why or "")


async def test_a_restart_is_refused_as_useless_for_what_the_next_pod_meets_again(story: Story) -> None:
    await story.create("app:v1")
    for pod in story.emulator.list("pods", "shop"):
        status = pod["status"]
        container = {**status["containerStatuses"][0], "ready": False}
        container["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
        container["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
        name = pod["metadata"]["name"]
        changed = {"status": {"containerStatuses": [container]}}
        story.emulator.patch("pods", "shop", name, changed, user="kubelet", subresource="status")
    story.unready()
    (story.daemon.settings.rules[0] / "story.yaml").write_text(RESTART)
    await story.daemon.rules.reload()
    story.alertmanager.fire(ALERT)
    await story.deliver()
    run = await story.run()
    assert (run.state, story.effects()) == ("BLOCKED", [])
    assert "a restart is useless" in (run.why or "")
    assert "was OOMKilled" in (run.why or "")
