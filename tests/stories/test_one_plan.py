"""Everything that one bad release sets off is one problem: one plan, one rollback, and no restart beside it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from remediator.daemon import Daemon
from tests.support.clock import DrivenClock
from tests.support.story import ALERT, Story, told

SHIPPED = Path(__file__).parents[2] / "rules"
TARGETS = """
targets:
  - match: ['{sloth_service="checkout"}']
    target: deployment/shop/api
"""
SLO = {
    "alertname": "ErrorBudgetBurn",
    "sloth_service": "checkout",
    "sloth_slo": "requests",
    "sloth_severity": "page",
}
ERRORS, LATENCY = ALERT, {**ALERT, "alertname": "HighLatency"}
CRASHES = {**ALERT, "alertname": "KubePodCrashLooping"}
HANGS = {**ALERT, "alertname": "ServiceHung"}
"""The one whose rule restarts."""

ORDERS = {
    "the one that restarts first": (HANGS, ERRORS, LATENCY, CRASHES, SLO),
    "the one that restarts first, the others late": (HANGS, LATENCY, SLO),
    "by how urgent they are": (CRASHES, ERRORS, SLO, LATENCY, HANGS),
    "the slowest first": (SLO, LATENCY, HANGS, ERRORS),
}


def shipped_and_acting(directory: Path) -> None:
    """The shipped rules, in several files, in mode act."""
    directory.mkdir(exist_ok=True)
    for file in SHIPPED.glob("*.yaml"):
        (directory / file.name).write_text(file.read_text().replace("mode: shadow", "mode: act"))


async def runs_of(daemon: Daemon) -> list[tuple[str, str]]:
    async with daemon.database.connection() as connection:
        rows = await connection.fetch("select rule, mode from runs order by id")
    return [(row["rule"], row["mode"]) for row in rows]


async def arrive(story: Story, alerts: Sequence[dict[str, str]], seconds_between: float) -> None:
    for labels in alerts:
        story.alertmanager.fire(labels)
        await story.deliver()
        await story.let(seconds_between)


@pytest.mark.parametrize("alerts", ORDERS.values(), ids=list(ORDERS))
async def test_all_alerts_of_one_bad_release_are_one_plan_and_one_rollback(
    tmp_path: Path, database_url: str, clock: DrivenClock, alerts: Sequence[dict[str, str]]
) -> None:
    shipped_and_acting(tmp_path / "rules")
    async with told(tmp_path, database_url, clock, TARGETS) as story:
        await story.bad_release()
        await arrive(story, alerts, 45)
        await story.let(8 * 60)
        assert story.effects() == ["app:v1"], "a rollback, and nothing else"
        (run,) = await runs_of(story.daemon)
        assert run[0] != "service-hung"
        async with story.daemon.database.connection() as connection:
            joined = await connection.fetch(
                "select distinct run_id, incident_id from episodes where run_id is not null"
            )
            assert len(joined) == 1
            assert await connection.fetchval("select count(*) from episodes where run_id is not null") == len(
                alerts
            )


async def test_where_only_the_alert_of_a_hang_comes_it_is_restarted_when_the_others_would_be_there(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    shipped_and_acting(tmp_path / "rules")
    async with told(tmp_path, database_url, clock, TARGETS) as story:
        await story.create("app:v1")
        await story.let(60)
        await arrive(story, (HANGS,), 4 * 60)
        assert story.effects() == []
        await story.let(90)
        assert story.effects() == ["app:v1"]
        assert await runs_of(story.daemon) == [("service-hung", "act")]
