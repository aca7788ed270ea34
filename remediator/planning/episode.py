"""What a notice does to the episode of its alert. Pure: the decision table of redelivery and disorder."""

from datetime import timedelta
from enum import StrEnum

from remediator.domain.alert import Alert
from remediator.store.clusters import ANOTHER_CLUSTER
from remediator.store.episodes import Episode

_RESTARTED_AFTER = timedelta(minutes=5)


class Effect(StrEnum):
    """What becomes of the episode; also the notice's recorded disposition."""

    OPENED = "opened"
    REFRESHED = "refreshed"
    CLOSED = "closed"
    REOPENED = "reopened"
    RESTARTED = "restarted"
    STALE = "stale"
    CLOSED_UNSEEN = "closed_unseen"


def effect_of(notice: Alert, latest: Episode | None) -> Effect:
    """Judge one notice against the newest episode of its alert.

    Two peers may send the same alert with different starts, notices may come twice and in any
    order: none of that opens a second episode. A firing alert that began after the recorded end
    does; so does one that began well after we last heard of an episode nobody closed. What was
    closed because the database was given to another cluster says nothing about the alerts there.
    """
    if notice.status == "resolved":
        return _of_resolved(notice, latest)
    if latest is None:
        return Effect.OPENED
    if latest.closed_at is None:
        began_anew = notice.starts_at > latest.last_seen_at + _RESTARTED_AFTER
        return Effect.RESTARTED if began_anew else Effect.REFRESHED
    if latest.closed_because == ANOTHER_CLUSTER:
        return Effect.OPENED
    if latest.closed_because == "vanished":
        return Effect.REOPENED if notice.starts_at <= latest.closed_at else Effect.OPENED
    ended_at = latest.ends_at or latest.closed_at
    return Effect.OPENED if notice.starts_at > ended_at else Effect.STALE


def _of_resolved(notice: Alert, latest: Episode | None) -> Effect:
    if latest is None:
        return Effect.CLOSED_UNSEEN
    if latest.closed_at is not None:
        return Effect.STALE
    if notice.ends_at is not None and notice.ends_at < latest.starts_at:
        return Effect.STALE
    return Effect.CLOSED
