"""Several Alertmanager peers: one that says firing is enough, one that says silenced refuses, and half must answer."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from remediator.domain.change import Eviction
from remediator.guards.alert_still_firing import AlertStillFiring
from remediator.sandbox.alertmanager import Alertmanager
from tests.guards.changes import API
from tests.guards.facts import Facts
from tests.support.clock import DrivenClock
from tests.support.story import ALERT, RESTART, told


@pytest.fixture
async def peers(clock: DrivenClock) -> AsyncIterator[list[Alertmanager]]:
    """Two further peers, beside the one that posts."""
    async with Alertmanager(clock=clock.now) as one, Alertmanager(clock=clock.now) as other:
        yield [one, other]


def all_fire(peers: list[Alertmanager]) -> None:
    for peer in peers:
        peer.fire(ALERT)


def one_is_silenced(peers: list[Alertmanager]) -> None:
    all_fire(peers)
    peers[0].silence({"alertname": "HighErrorRate"})


def none_has_heard_of_it(peers: list[Alertmanager]) -> None:
    """The alert has not been gossiped, or the other Prometheus does not see it."""


def one_is_down(peers: list[Alertmanager]) -> None:
    all_fire(peers)
    peers[0].status = 503


def two_are_down(peers: list[Alertmanager]) -> None:
    for peer in peers:
        peer.status = 503


def one_answers_rubbish(peers: list[Alertmanager]) -> None:
    all_fire(peers)
    peers[0].status = 418


@pytest.mark.parametrize(
    ("number", "situation", "acts"),
    [
        (2, all_fire, True),
        (2, one_is_silenced, False),
        (2, none_has_heard_of_it, True),
        (2, one_is_down, True),
        (2, two_are_down, False),
        (2, one_answers_rubbish, True),
        (1, one_is_down, True),
        (1, one_is_silenced, False),
    ],
)
async def test_acting_with_several_peers(
    tmp_path: Path,
    database_url: str,
    clock: DrivenClock,
    peers: list[Alertmanager],
    number: int,
    situation: Callable[[list[Alertmanager]], None],
    acts: bool,
) -> None:
    asked = peers[:number]
    async with told(
        tmp_path, database_url, clock, RESTART, other_peers=[peer.url for peer in asked]
    ) as story:
        await story.create("app:v1")
        situation(asked)
        await story.fire()
        assert bool(story.effects()) is acts
        if situation is one_is_silenced:
            assert f"the alert is silenced or inhibited on {asked[0].url}" in ((await story.run()).why or "")


def fires(facts: Facts) -> None:
    facts.alertmanager.fire(ALERT)


def is_silenced(facts: Facts) -> None:
    fires(facts)
    facts.alertmanager.silence({"namespace": "shop"})


def is_inhibited(facts: Facts) -> None:
    fires(facts)
    facts.alertmanager.fire({"alertname": "ClusterDown"})
    facts.alertmanager.inhibit({"namespace": "shop"}, while_firing={"alertname": "ClusterDown"})


def is_unprocessed(facts: Facts) -> None:
    facts.alertmanager.fire(ALERT, unprocessed=True)


def is_over(facts: Facts) -> None:
    fires(facts)
    facts.alertmanager.resolve(ALERT)


def is_another(facts: Facts) -> None:
    facts.alertmanager.fire({**ALERT, "severity": "warning"})
    facts.alertmanager.fire({**ALERT, "pod": "api-1"})


@pytest.mark.parametrize(
    ("situation", "answer", "sentence"),
    [
        (fires, "allow", "says it is firing"),
        (is_silenced, "refuse", "the alert is silenced or inhibited on"),
        (is_inhibited, "refuse", "the alert is silenced or inhibited on"),
        (is_over, "refuse", "no Alertmanager peer lists the alert any more"),
        (is_another, "refuse", "no Alertmanager peer lists the alert any more"),
        (is_unprocessed, "unknown", "Alertmanager has not processed the alert yet"),
    ],
)
async def test_what_one_peer_says(
    facts: Facts, situation: Callable[[Facts], None], answer: str, sentence: str
) -> None:
    situation(facts)
    verdict = await facts.verdict(AlertStillFiring())
    assert verdict.answer == answer, verdict.why
    assert sentence in verdict.why
    assert verdict.passing is (answer != "allow")


@pytest.mark.parametrize("status", [200, 204, 302, 401, 403, 404, 429, 500, 503])
async def test_a_peer_that_gives_no_list_of_alerts_is_unknown(facts: Facts, status: int) -> None:
    """With 200 it says something that is no list."""
    fires(facts)
    facts.alertmanager.status = status
    verdict = await facts.verdict(AlertStillFiring())
    assert (verdict.answer, verdict.passing) == ("unknown", True)
    assert "0 of 1 Alertmanager peers answered, which is too few" in verdict.why


@pytest.mark.parametrize(
    ("situation", "answer"),
    [(fires, "allow"), (is_over, "allow"), (is_silenced, "refuse"), (is_unprocessed, "unknown")],
)
async def test_what_was_begun_is_finished_unless_somebody_silenced_it(
    facts: Facts, situation: Callable[[Facts], None], answer: str
) -> None:
    situation(facts)
    finishing = Eviction(
        target=API,
        uid="u1",
        pod="api-0",
        pod_uid="p1",
        from_exact="x",
        completes=True,
        summary="evict api-0",
        from_title="pod api-0",
        to_title="a new pod",
    )
    verdict = await facts.verdict(AlertStillFiring(), change=finishing)
    assert verdict.answer == answer, verdict.why
