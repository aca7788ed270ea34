"""monitoring_fresh: nothing is changed unless a fresh Watchdog, or its substitute, shows that somebody watches."""

import math
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from remediator.guards.monitoring_fresh import MonitoringFresh
from remediator.sandbox.alertmanager import Alertmanager
from remediator.store.database import Database
from tests.guards.facts import Facts, facts_of
from tests.support.clock import DrivenClock
from tests.support.story import Story, told

QUERY = 'min(up{job="prometheus"})'
SUBSTITUTE = {"monitoring": {"substitute": {"promql": QUERY}}}
WATCHDOG = {"alertname": "Watchdog"}


async def answered(facts: Facts) -> tuple[str, str, bool]:
    verdict = await facts.verdict(MonitoringFresh())
    return verdict.answer, verdict.why, verdict.passing


def nothing(facts: Facts) -> None:
    """Everything is as it should be."""


def gone(facts: Facts) -> None:
    facts.alertmanager.resolve(WATCHDOG)


def silenced(facts: Facts) -> None:
    facts.alertmanager.silence(WATCHDOG)


def inhibited(facts: Facts) -> None:
    facts.alertmanager.fire({"alertname": "Maintenance"})
    facts.alertmanager.inhibit(WATCHDOG, while_firing={"alertname": "Maintenance"})


def unprocessed(facts: Facts) -> None:
    facts.alertmanager.fire(WATCHDOG, unprocessed=True)


def down(facts: Facts) -> None:
    facts.alertmanager.status = 503


def refused(facts: Facts) -> None:
    facts.alertmanager.status = 403


@pytest.mark.parametrize(
    ("situation", "answer", "sentence"),
    [
        (nothing, "allow", "received Watchdog 0s ago"),
        (gone, "refuse", "Watchdog does not fire"),
        (silenced, "refuse", "Watchdog is silenced or inhibited on"),
        (inhibited, "refuse", "Watchdog is silenced or inhibited on"),
        (unprocessed, "unknown", "has not processed Watchdog yet"),
        (down, "unknown", "0 of 1 Alertmanager peers answered, which is too few"),
        (refused, "unknown", "0 of 1 Alertmanager peers answered, which is too few"),
    ],
)
async def test_what_alertmanager_says_of_the_watchdog(
    facts: Facts, situation: Callable[[Facts], None], answer: str, sentence: str
) -> None:
    situation(facts)
    said, why, passing = await answered(facts)
    assert said == answer, why
    assert sentence in why
    assert passing is (answer != "allow")


async def test_a_watchdog_that_prometheus_no_longer_repeats_grows_old(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    """Prometheus gives what it sends four minutes: then Alertmanager takes it for resolved."""
    async with facts_of(tmp_path, database, clock, {"monitoring": {"older_than": "2m"}}) as facts:
        facts.alertmanager.stop_resending()
        await clock.advance(119)
        assert (await answered(facts))[0] == "allow"
        await clock.advance(1)
        said, why, _ = await answered(facts)
        assert (said, why.partition(" ")[2]) == (
            "refuse",
            "last received Watchdog 2m ago, not within 2m: Prometheus no longer reaches it",
        )
        await clock.advance(120)
        said, why, _ = await answered(facts)
        assert (said, why.partition(":")[0]) == ("refuse", "Watchdog does not fire")


async def test_that_it_began_long_ago_does_not_make_it_old(facts: Facts) -> None:
    facts.alertmanager.fire(WATCHDOG, starts_at=facts.clock.now() - timedelta(days=90))
    await facts.clock.advance(3600)
    verdict = await facts.verdict(MonitoringFresh())
    assert verdict.allows
    assert verdict.inputs["older_than"] == "5m"


async def test_a_clock_far_ahead_of_ours_proves_nothing(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    async with Alertmanager(clock=lambda: clock.now() + timedelta(minutes=7)) as ahead:
        ahead.fire(WATCHDOG)
        settings = {"alertmanagers": {"urls": [ahead.url]}}
        async with facts_of(tmp_path, database, clock, settings) as facts:
            said, why, _ = await answered(facts)
    assert said == "unknown"
    assert "is 7m ahead of ours" in why


async def test_without_an_alertmanager_nothing_is_known(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    async with facts_of(tmp_path, database, clock, {"alertmanagers": {"urls": []}}) as facts:
        assert (await answered(facts))[:2] == ("unknown", "no Alertmanager is configured")


@pytest.fixture
async def others(clock: DrivenClock) -> AsyncIterator[list[Alertmanager]]:
    async with Alertmanager(clock=clock.now) as one, Alertmanager(clock=clock.now) as two:
        yield [one, two]


def all_have_it(peers: list[Alertmanager]) -> None:
    for peer in peers:
        peer.fire(WATCHDOG)


def none_has_it(peers: list[Alertmanager]) -> None:
    """Their Prometheus does not reach them."""


def one_is_silenced(peers: list[Alertmanager]) -> None:
    all_have_it(peers)
    peers[0].silence(WATCHDOG)


def one_is_down(peers: list[Alertmanager]) -> None:
    peers[0].status = 503


def two_are_down(peers: list[Alertmanager]) -> None:
    for peer in peers:
        peer.status = 503


@pytest.mark.parametrize(
    ("number", "situation", "answer"),
    [
        (2, all_have_it, "allow"),
        (2, none_has_it, "allow"),
        (2, one_is_silenced, "refuse"),
        (2, one_is_down, "allow"),
        (1, one_is_down, "allow"),
        (2, two_are_down, "unknown"),
    ],
)
async def test_several_peers(
    tmp_path: Path,
    database: Database,
    clock: DrivenClock,
    others: list[Alertmanager],
    number: int,
    situation: Callable[[list[Alertmanager]], None],
    answer: str,
) -> None:
    """The first one has a fresh Watchdog."""
    async with Alertmanager(clock=clock.now) as first:
        first.fire(WATCHDOG)
        peers = others[:number]
        situation(peers)
        settings = {"alertmanagers": {"urls": [first.url, *(each.url for each in peers)]}}
        async with facts_of(tmp_path, database, clock, settings) as facts:
            said, why, _ = await answered(facts)
    assert said == answer, why


async def test_another_clusters_watchdog_says_nothing_of_ours(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    settings = {"cluster": {"name": "prod", "label": "cluster"}}
    async with facts_of(tmp_path, database, clock, settings) as facts:
        facts.alertmanager.fire({**WATCHDOG, "cluster": "staging"})
        assert (await answered(facts))[0] == "refuse"
        facts.alertmanager.fire({**WATCHDOG, "cluster": "prod"})
        assert (await answered(facts))[0] == "allow"


async def test_the_watchdog_may_have_another_name(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    async with facts_of(tmp_path, database, clock, {"monitoring": {"watchdog": "DeadMansSwitch"}}) as facts:
        assert (await answered(facts))[0] == "refuse"
        facts.alertmanager.fire({"alertname": "DeadMansSwitch"})
        assert (await answered(facts))[0] == "allow"


@pytest.mark.parametrize(
    ("value", "answer", "sentence"),
    [
        (1, "allow", "answered 1"),
        (0.5, "allow", "answered 0.5"),
        (0, "refuse", "answered 0"),
        (-1, "refuse", "answered -1"),
        (math.nan, "unknown", "answered nan"),
        (math.inf, "unknown", "answered inf"),
        ([], "unknown", "answered nothing"),
        ([({"a": "1"}, 1.0), ({"a": "2"}, 1.0)], "unknown", "answered 2 series, not one"),
    ],
)
@pytest.mark.parametrize("settings", [SUBSTITUTE])
async def test_a_query_instead_of_the_watchdog(
    facts: Facts, settings: Any, value: Any, answer: str, sentence: str
) -> None:
    facts.alertmanager.status = 503
    facts.prometheus.answer(QUERY, value)
    said, why, _ = await answered(facts)
    assert said == answer, why
    assert sentence in why


@pytest.mark.parametrize("settings", [SUBSTITUTE])
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_a_prometheus_that_does_not_answer_the_query(facts: Facts, settings: Any, status: int) -> None:
    facts.prometheus.status = status
    said, why, passing = await answered(facts)
    assert (said, passing) == ("unknown", True)
    assert str(status) in why


@pytest.mark.parametrize("settings", [SUBSTITUTE])
async def test_an_old_answer_to_the_query(
    tmp_path: Path, database: Database, clock: DrivenClock, settings: Any, facts: Facts
) -> None:
    stopped = facts.clock.now()
    facts.prometheus._clock = lambda: stopped
    facts.prometheus.answer(QUERY, 1)
    await facts.clock.advance(300)
    assert (await answered(facts))[0] == "allow"
    await facts.clock.advance(1)
    said, why, _ = await answered(facts)
    assert (said, why.partition(": ")[2]) == ("unknown", f"the newest sample is of {stopped.isoformat()}")


async def test_while_prometheus_does_not_reach_alertmanager_nothing_is_changed(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.resolve(WATCHDOG)
    await story.fire()
    run = await story.run()
    assert (run.state, story.effects()) == ("PROPOSED", [])
    assert "monitoring_fresh: Watchdog does not fire" in (run.why or "")
    story.alertmanager.fire(WATCHDOG)
    await story.let(45)
    assert story.effects() == ["app:v1"]


async def test_an_unreachable_alertmanager_is_said_and_counted(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    sent = story.alertmanager.notifications()
    story.alertmanager.status = 503
    await story.alertmanager.deliver(
        f"{story.url}/api/v1/alertmanager", token="story-token", notifications=sent
    )
    await story.settle()
    assert story.effects() == []
    assert "monitoring_fresh: 0 of 1 Alertmanager peers answered" in ((await story.run()).why or "")
    assert unknown(story) == 1
    assert any("monitoring_fresh: cannot know" in line.text for line in await story.journal())


async def test_an_unreachable_prometheus_is_said_and_counted_where_it_is_the_substitute(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, settings=SUBSTITUTE) as story:
        story.prometheus.answer(QUERY, 1)
        await story.bad_release()
        story.prometheus.status = 503
        await story.fire()
        assert story.effects() == []
        assert "monitoring_fresh: Prometheus answered 503" in ((await story.run()).why or "")
        assert unknown(story) == 1
        story.prometheus.status = None
        await story.let(45)
        assert story.effects() == ["app:v1"]


def unknown(story: Story) -> float | None:
    labels = {"guard": "monitoring_fresh", "answer": "unknown"}
    registry = story.daemon.metrics.registry
    return registry.get_sample_value("remediator_guard_verdicts_total", labels)
