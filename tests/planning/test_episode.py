"""What a notice does to the episode of its alert: repeats, disorder, two peers, missed endings."""

from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.alert import Alert
from remediator.planning.episode import Effect, effect_of
from remediator.store.episodes import Episode

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def firing(starts: float) -> Alert:
    return Alert(
        status="firing", labels={"alertname": "A"}, annotations={}, starts_at=at(starts), ends_at=None
    )


def resolved(starts: float, ends: float) -> Alert:
    return Alert(
        status="resolved", labels={"alertname": "A"}, annotations={}, starts_at=at(starts), ends_at=at(ends)
    )


def episode(
    starts: float, *, seen: float = 1, closed: float | None = None, because: str = "resolved"
) -> Episode:
    return Episode(
        id=1,
        source="alertmanager",
        fingerprint="f",
        alertname="A",
        labels={"alertname": "A"},
        annotations={},
        starts_at=at(starts),
        opened_at=at(starts),
        last_seen_at=at(seen),
        ends_at=at(closed) if closed is not None else None,
        closed_at=at(closed) if closed is not None else None,
        closed_because=because if closed is not None else None,
        plan_due_at=None,
        disposition=None,
        why=None,
        incident_id=None,
        run_id=None,
        target=None,
    )


@pytest.mark.parametrize(
    ("notice", "latest", "effect"),
    [
        pytest.param(firing(0), None, Effect.OPENED, id="the first firing opens"),
        pytest.param(firing(0), episode(0), Effect.REFRESHED, id="a repeat refreshes"),
        pytest.param(firing(0.5), episode(0), Effect.REFRESHED, id="another peer's later start is the same"),
        pytest.param(
            firing(-0.5), episode(0), Effect.REFRESHED, id="another peer's earlier start is the same"
        ),
        pytest.param(
            firing(30), episode(0, seen=10), Effect.RESTARTED, id="a start long after the last notice is anew"
        ),
        pytest.param(resolved(0, 5), episode(0), Effect.CLOSED, id="resolved closes"),
        pytest.param(
            resolved(-30, -20), episode(0), Effect.STALE, id="resolved of an earlier stretch does not close"
        ),
        pytest.param(
            resolved(0, 5), None, Effect.CLOSED_UNSEEN, id="resolved before firing is recorded closed"
        ),
        pytest.param(resolved(0, 5), episode(0, closed=5), Effect.STALE, id="resolved twice is stale"),
        pytest.param(
            firing(0), episode(0, closed=5), Effect.STALE, id="a delayed firing of a closed one is stale"
        ),
        pytest.param(firing(6), episode(0, closed=5), Effect.OPENED, id="firing after the end opens anew"),
        pytest.param(
            firing(0),
            episode(0, closed=5, because="vanished"),
            Effect.REOPENED,
            id="what was taken for gone and comes again goes on",
        ),
        pytest.param(
            firing(6), episode(0, closed=5, because="vanished"), Effect.OPENED, id="gone, then anew"
        ),
    ],
)
def test_effect_of_a_notice(notice: Alert, latest: Episode | None, effect: Effect) -> None:
    assert effect_of(notice, latest) is effect


def test_what_was_closed_with_the_cluster_it_was_of_says_nothing_about_this_one() -> None:
    """The restored cluster's alert has fired since before the database was given to it."""
    assert effect_of(firing(0), episode(0, closed=60, because="another cluster")) is Effect.OPENED
