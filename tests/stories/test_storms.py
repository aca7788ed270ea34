"""Too much fires at once: nothing is changed, people are told once, and the one likely cause is offered."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from remediator.store import episodes, storms
from tests.stories.test_telling_people import Receiver, receiver, with_notifier
from tests.support.clock import DrivenClock
from tests.support.story import RESTART, ROLLBACK, Story, deployment, told

__all__ = ["receiver"]  # a fixture

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
NEEDS_THE_DATABASE = """
targets:
  - {match: ['{service="a"}'], target: deployment/shop/a, depends_on: [statefulset/shop/db, service/shop/dns]}
  - {match: ['{service="b"}'], target: deployment/shop/b, depends_on: [statefulset/shop/db]}
  - {match: ['{service="c"}'], target: deployment/shop/c, depends_on: [statefulset/shop/db]}
  - {match: ['{service="d"}'], target: deployment/shop/d, depends_on: [statefulset/shop/db]}
  - {match: ['{service="e"}'], target: deployment/shop/e, depends_on: [statefulset/shop/other]}
"""


@asynccontextmanager
async def many(
    tmp_path: Path,
    database_url: str,
    clock: DrivenClock,
    receiver: Receiver,
    *,
    rules: str = RESTART,
    spread: bool = True,
    storm: dict[str, Any] | None = None,
) -> AsyncIterator[Story]:
    """Ten services that have run for a while: two in each of five namespaces, or all in `shop`."""
    namespaces = [f"shop-{number}" for number in range(5)] if spread else ["shop"]
    settings = {**with_notifier(receiver), "storm": storm or {}}
    async with told(tmp_path, database_url, clock, rules, settings, namespaces=namespaces) as story:
        for number, name in enumerate(NAMES):
            made = deployment("app:v1")
            made["metadata"] |= {"name": name, "namespace": namespaces[number % len(namespaces)]}
            story.emulator.create(made)
        await story.let(60)
        yield story


def fire(story: Story, names: Iterable[str], alertname: str = "HighErrorRate") -> None:
    """An alert on each of these services begins; it is not posted yet."""
    for each in story.emulator.list("deployments"):
        labels = each["metadata"]
        if labels["name"] in names:
            story.alertmanager.fire(
                {"alertname": alertname, "namespace": labels["namespace"], "deployment": labels["name"]}
            )


async def dispositions(story: Story) -> list[str | None]:
    async with story.daemon.database.connection() as connection:
        return [
            each.disposition for each in await episodes.recent(connection) if each.alertname != "Watchdog"
        ]


async def test_every_alert_of_the_cluster_at_once_is_one_notice_and_no_action(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver) as story:
        for alertname in ("HighErrorRate", "Unknown", "Watched"):
            fire(story, NAMES, alertname)
        await story.deliver()
        await story.let(9 * 60)
        assert story.effects() == []
        (notice,) = receiver.notices
        assert notice["title"] == "[STORM] 10 targets began to fire at once everywhere: nothing is changed"
        assert all(f"/{name} (HighErrorRate" in notice["text"] for name in NAMES)
        assert not notice["text"].startswith("FIRST")
        assert len(await story.runs()) < 8
        async with aiohttp.ClientSession() as session, session.get(f"{story.url}/-/ready/act") as answer:
            assert (answer.status, "a storm everywhere" in await answer.text()) == (503, True)
        await story.daemon.gauges.tick()
        assert b'remediator_storm{scope="everywhere"} 1.0' in story.daemon.metrics.exposition()


async def test_what_still_fires_is_planned_when_the_storm_is_over(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver) as story:
        fire(story, NAMES)
        await story.deliver()
        assert "storm" in await dispositions(story)
        await story.let(10 * 60)
        await story.let(60)
        assert "storm" not in await dispositions(story)
        assert 0 < len(story.effects()) <= 2
        await story.daemon.gauges.tick()
        assert b'remediator_storm{scope="everywhere"} 0.0' in story.daemon.metrics.exposition()


async def test_seven_targets_are_no_storm(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver) as story:
        fire(story, NAMES[:7])
        await story.deliver()
        assert len(await story.runs()) == 7
        assert len(story.effects()) == 2  # as many as may be unsettled at once
        assert not [each for each in receiver.notices if "[STORM]" in each["title"]]


async def test_what_only_rules_in_shadow_are_for_makes_no_storm(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    shadow = RESTART.removeprefix("\nrules:").replace("mode: act", "mode: shadow")
    rules = RESTART + shadow.replace("hung", "watched").replace("HighErrorRate", "Watched")
    async with many(tmp_path, database_url, clock, receiver, rules=rules) as story:
        fire(story, NAMES[1:], "Watched")
        fire(story, NAMES[:1])
        await story.deliver()
        assert len(story.effects()) == 1


async def test_a_second_storm_in_the_cool_down_begins_it_anew(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver, storm={"anywhere": 4}) as story:
        fire(story, NAMES[:4])
        await story.deliver()
        await story.let(6 * 60)
        fire(story, NAMES[4:8])
        await story.deliver()
        await story.let(9 * 60)
        async with story.daemon.database.connection() as connection:
            (storm,) = await storms.in_force(connection)
        assert storm.ends_at - storm.began_at == clock.now() - storm.began_at + (storm.ends_at - clock.now())
        assert (storm.ends_at - storm.began_at).total_seconds() == 16 * 60
        assert story.effects() == []
        await story.let(2 * 60)
        assert len(story.effects()) > 0
        assert len([each for each in receiver.notices if "[STORM]" in each["title"]]) == 1


async def test_a_storm_in_one_namespace_leaves_the_others_alone(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver, storm={"in_namespace": 2}) as story:
        fire(story, ("a", "f", "b"))
        await story.deliver()
        (changed,) = [
            each
            for each in story.emulator.effects
            if each.after and not each.claim and each.resource == "deployments" and each.user == "remediator"
        ]
        assert changed.namespace == "shop-1"
        (told_of,) = [each for each in receiver.notices if "[STORM]" in each["title"]]
        assert "in namespace shop-0" in told_of["title"]


async def test_the_one_that_was_rolled_out_first_is_named_first_and_asked_about(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    async with many(tmp_path, database_url, clock, receiver, rules=ROLLBACK) as story:
        await story.soak(35 * 60)
        release = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
        story.emulator.patch("deployments", "shop-3", "d", release, user="somebody", manager="kubectl")
        await story.let(4 * 60)
        fire(story, NAMES)
        await story.deliver()
        await story.let(60)
        (notice,) = [each for each in receiver.notices if "[STORM]" in each["title"]]
        assert notice["text"].startswith("FIRST look at this")
        assert "deployment/shop-3/d is the one target that was rolled out" in notice["text"]
        (asked,) = [each for each in await story.runs() if each.target == "deployment/shop-3/d"]
        assert "deployment/shop-3/d is the one target" in (asked.why or "")
        assert story.effects() == []


async def test_a_slow_shared_database_behind_four_services_is_no_reason_to_act(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    rules = NEEDS_THE_DATABASE + RESTART
    wide = {"in_namespace": 100, "anywhere": 100}
    async with many(tmp_path, database_url, clock, receiver, rules=rules, spread=False, storm=wide) as story:
        for name in "abcd":
            story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "service": name})
        await story.deliver()
        await story.let(3 * 60)
        runs = {each.target: each for each in await story.runs()}
        assert [each.state for each in runs.values()] == ["PLANNED"] * 4
        assert "deployment/shop/b fires too" in (runs["deployment/shop/a"].why or "")
        assert "look at statefulset/shop/db first" in (runs["deployment/shop/a"].why or "")
        assert story.effects() == []


async def test_two_services_that_need_different_things_are_each_cured(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    rules = NEEDS_THE_DATABASE + RESTART
    async with many(tmp_path, database_url, clock, receiver, rules=rules, spread=False) as story:
        for name in "ae":
            story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "service": name})
        await story.deliver()
        await story.let(60)
        assert len(story.effects()) == 2


async def test_when_the_other_has_recovered_the_one_that_still_fires_is_cured(
    tmp_path: Path, database_url: str, clock: DrivenClock, receiver: Receiver
) -> None:
    rules = NEEDS_THE_DATABASE + RESTART
    async with many(tmp_path, database_url, clock, receiver, rules=rules, spread=False) as story:
        for name in "ab":
            story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "service": name})
        await story.deliver()
        assert story.effects() == []
        story.alertmanager.resolve({"alertname": "HighErrorRate", "namespace": "shop", "service": "b"})
        await story.deliver()
        await story.let(60)
        assert len(story.effects()) == 1
