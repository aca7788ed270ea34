"""Several Alertmanager peers: one that says firing is enough, one that says silenced refuses, and half must answer."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from remediator.sandbox.alertmanager import Alertmanager
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
