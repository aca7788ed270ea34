"""The numbers of the dashboard that are about weeks: what became of changes, and how alerts ended."""

from datetime import timedelta
from typing import get_args

import pytest

from remediator.store import acted_runs, recoveries
from remediator.store.database import DATABASE_ERRORS
from remediator.store.recoveries import Recoveries
from remediator.telemetry import Metrics, StandstillReason
from tests.hindsight.month import BAD, FIXED, MINUTE, Incident, Month, day
from tests.support.clock import DrivenClock
from tests.support.story import Story

MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)


async def ended(story: Story) -> dict[str, Recoveries]:
    async with story.daemon.database.connection() as connection:
        found = await recoveries.recoveries(connection, MONTH, (0.5, 0.9))
    return {each.by: each for each in found}


def shown(story: Story, metric: str, **labels: str) -> float | None:
    return story.daemon.metrics.registry.get_sample_value(f"remediator_{metric}", labels)


def standing_still(story: Story) -> list[str]:
    """Each reason that is shown as one why nothing at all may be changed."""
    return [each for each in get_args(StandstillReason) if shown(story, "cannot_act", reason=each)]


@pytest.fixture
async def month(story: Story, clock: DrivenClock) -> Story:
    """Three changes that we made, and three alerts that ended otherwise."""
    await clock.advance(7 * 24 * 3600.0)
    (rule,) = story.daemon.rules.rules()
    async with story.daemon.database.transaction() as connection:
        written = Month(connection)
        await written.acted(rule, day(2), 5)
        await written.acted(rule, day(2, 10), 7, back=30)
        await written.acted(rule, day(2, 11), 9, state="ESCALATED")
        await written.shadow(
            rule, Incident(day(3), becomes=FIXED), Incident(day(4), restarted=True, cleared=40)
        )
        await written.shadow(rule, Incident(day(5), cleared=3), Incident(day(6), remembered=False))
    return story


async def test_alerts_are_told_apart_by_who_ended_them(month: Story) -> None:
    found = await ended(month)
    assert {by: each.alerts for by, each in found.items()} == {
        "remediator": 2,
        "people": 2,
        "itself": 1,
        "unknown": 2,
    }
    assert list(found["remediator"].to_recovery) == [6 * 60, 8 * 60]
    assert list(found["remediator"].to_effect) == [60, 60]
    assert list(found["people"].to_recovery) == [21 * 60, 41 * 60]
    assert list(found["itself"].to_recovery) == [4 * 60, 4 * 60]


async def test_nothing_is_told_of_what_nobody_ended(story: Story) -> None:
    assert await ended(story) == {
        by: Recoveries(by=by, alerts=0, to_recovery=(), to_effect=())
        for by in ("remediator", "people", "itself", "unknown")
    }


async def test_while_the_memory_did_not_look_nobody_knows_that_it_healed_by_itself(month: Story) -> None:
    async with month.daemon.database.transaction() as connection:
        await connection.execute(
            "update tenures set unseen = array[tstzrange($1, $2)] where revision = $3 and ended_at is null",
            day(5),
            day(5) + MINUTE,
            BAD,
        )
    found = await ended(month)
    assert (found["itself"].alerts, found["unknown"].alerts) == (0, 3)


async def test_alerts_that_no_rule_matched_hide_none_of_those_that_ended(month: Story) -> None:
    before = await ended(month)
    async with month.daemon.database.transaction() as connection:
        await connection.execute(
            """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, disposition,
                                     closed_at, closed_because)
               select 'am', 'f' || each, 'Slow', '{}', '{}', remediator_now(), 'no_rule', remediator_now(), 'resolved'
               from generate_series(1, 3000) as each"""
        )
        assert {
            each.by: each for each in await recoveries.recoveries(connection, MONTH, (0.5, 0.9))
        } == before


async def test_changes_are_counted_by_what_became_of_them(month: Story) -> None:
    async with month.daemon.database.connection() as connection:
        told = await acted_runs.sequels(connection, MONTH, HOUR)
    assert told == {"bad-release": {"held": 1, "came_back": 1, "not_helped": 1, "unknown": 0, "too_early": 0}}


async def test_the_gauges_show_them(month: Story) -> None:
    await month.daemon.gauges.tick()
    await month.daemon.gauges.look_back()
    assert shown(month, "changes", rule="bad-release", sequel="held") == 1
    assert shown(month, "changes", rule="bad-release", sequel="too_early") == 0
    assert shown(month, "alerts_ended", by="people") == 2
    assert shown(month, "alert_to_recovery_seconds", by="itself", quantile="0.5") == 240
    assert shown(month, "alert_to_effect_seconds", quantile="0.9") == 60
    commit = shown(month, "database_commit_seconds")
    assert commit is not None
    assert 0 < commit < 10


async def test_what_stands_still_is_shown_with_its_reason(story: Story) -> None:
    await story.daemon.gauges.tick()
    assert standing_still(story) == []
    story.alertmanager.resolve({"alertname": "Watchdog"})
    await story.daemon.gauges.tick()
    assert standing_still(story) == ["monitoring"]
    await story.daemon.database.close()
    with pytest.raises(DATABASE_ERRORS):
        await story.daemon.gauges.tick()
    assert standing_still(story) == ["database"]


async def test_numbers_of_weeks_that_cannot_be_had_are_not_why_nothing_is_changed(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    async with story.daemon.database.connection() as connection:
        await connection.execute("alter table tenures rename to elsewhere")
    await story.daemon.gauges.tick()
    await story.daemon.gauges.look_back()
    assert standing_still(story) == []
    assert any("numbers of the last weeks" in each for each in caplog.messages)


async def test_what_stands_still_is_told_before_what_counts(story: Story) -> None:
    story.alertmanager.resolve({"alertname": "Watchdog"})
    async with story.daemon.database.connection() as connection:
        await connection.execute("alter table outbox rename to elsewhere")
    with pytest.raises(DATABASE_ERRORS):
        await story.daemon.gauges.tick()
    assert standing_still(story) == ["monitoring"]


async def test_the_oldest_stuck_things_have_an_age(story: Story, clock: DrivenClock) -> None:
    async with story.daemon.database.transaction() as connection:
        await connection.execute(
            """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, plan_due_at)
               values ('am', 'f', 'Slow', '{}', '{}', remediator_now(), remediator_now())"""
        )
        incident = await connection.fetchval(
            "insert into incidents (subject, title, cluster) values ('s', 't', 'c') returning id"
        )
        await connection.execute(
            """insert into runs (incident_id, rule, rule_digest, rule_text, mode, trigger, cluster, kind, namespace,
                                 name, state)
               values ($1, 'r', 'd', '{}', 'act', '{"kind": "alert"}', 'c', 'deployment', 'shop', 'api', 'UNKNOWN')""",
            incident,
        )
    await clock.advance(90)
    await story.daemon.gauges.tick()
    assert shown(story, "oldest_unplanned_alert_seconds") == 90
    assert shown(story, "oldest_locked_target_seconds") == 90
    async with story.daemon.database.transaction() as connection:
        await connection.execute(
            "update episodes set disposition = 'no_rule', plan_due_at = remediator_now() + interval '1 minute'"
        )
        await connection.execute("update runs set state = 'ESCALATED'")
    await story.daemon.gauges.tick()
    assert shown(story, "oldest_unplanned_alert_seconds") == 0
    assert shown(story, "oldest_locked_target_seconds") == 0


def test_the_role_of_a_process_is_told() -> None:
    text = Metrics("intake").exposition().decode()
    assert 'remediator_build_info{role="intake",version="' in text
