"""Reads stored notices and lets each open, refresh or close the episode of its alert."""

import logging
from collections.abc import Sequence
from typing import Any

from remediator.domain.alert import Alert
from remediator.fault_points import FaultPoint, reach
from remediator.planning.episode import Effect, effect_of
from remediator.store import arrivals, episodes, journal, notices
from remediator.store.database import POISON, Connection, Database
from remediator.store.notices import UnreadNotice

_log = logging.getLogger(__name__)

_BATCH = 500
_AGAIN_SECONDS = 30.0
"""After a reader died over a batch another takes it up. Whatever breaks, an alert is disposed of within a minute."""


class Reader:
    """One unit of its work is a batch of notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tick(self) -> bool:
        """Read one batch; True when there was one, and so there may be more."""
        async with self._database.transaction() as connection:
            batch = await notices.take_unread(connection, _BATCH, _AGAIN_SECONDS)
        if batch:
            reach(FaultPoint.J07)
        done = await self._read_together(batch) if len(batch) > 1 else set()
        for notice in batch:
            if notice.id not in done:
                await self._read_alone(notice)
        return bool(batch)

    async def _read_alone(self, notice: UnreadNotice) -> None:
        try:
            async with self._database.transaction() as connection:
                await self._read(connection, notice)
        except POISON as reason:
            _log.error("notice %d is set aside: %s", notice.id, reason)
            async with self._database.transaction() as connection:
                await notices.set_aside(connection, notice.id, f"planning cannot read it: {reason}")

    async def _read_together(self, batch: Sequence[UnreadNotice]) -> set[int]:
        """Read at once what opens an episode or repeats it, the first notice of each alert; which those are.

        Nothing else, and no episode that planning is at: no transaction may hold one and wait for another.
        """
        try:
            return await self._read_at_once(batch)
        except POISON as reason:
            _log.warning("one of %d notices cannot be read, each is read alone: %s", len(batch), reason)
            return set()

    async def _read_at_once(self, batch: Sequence[UnreadNotice]) -> set[int]:
        alone = {(each.source, each.alert.fingerprint): each for each in reversed(batch)}
        first = list(alone.values())
        async with self._database.transaction() as connection:
            await arrivals.lock_alerts(connection, first)
            latest = await arrivals.latest_of_each(connection, first)
            effects = {each.id: effect_of(each.alert, latest.get(_key(each))) for each in first}
            opening = [
                each for each in first if effects[each.id] is Effect.OPENED and _key(each) not in latest
            ]
            opened = await arrivals.open_each(connection, opening)
            again = {latest[_key(each)].id: each for each in first if effects[each.id] is Effect.REFRESHED}
            refreshed = await arrivals.refresh_each(connection, list(again))
            read = {
                **{notice_id: (str(Effect.OPENED), episode_id) for notice_id, episode_id in opened.items()},
                **{again[each].id: (str(Effect.REFRESHED), each) for each in refreshed},
            }
            lines = [(*_line(each.alert, Effect.OPENED), opened[each.id]) for each in opening]
            await arrivals.tell_each(connection, lines)
            await arrivals.mark_each_read(connection, read)
        return set(read)

    async def _read(self, connection: Connection, notice: UnreadNotice) -> None:
        alert = notice.alert
        await episodes.lock_alert(connection, notice.source, alert.fingerprint)
        latest = await episodes.latest(connection, notice.source, alert.fingerprint)
        effect = effect_of(alert, latest)
        episode_id = latest.id if latest is not None else None
        match effect:
            case Effect.OPENED | Effect.CLOSED_UNSEEN:
                episode_id = await episodes.open_new(connection, notice.source, alert)
            case Effect.RESTARTED if latest is not None:
                await episodes.close(connection, latest.id, "restarted", alert.starts_at)
                episode_id = await episodes.open_new(connection, notice.source, alert)
            case Effect.REFRESHED if latest is not None:
                await episodes.refresh(connection, latest.id)
            case Effect.REOPENED if latest is not None:
                await episodes.reopen(connection, latest.id)
            case Effect.CLOSED if latest is not None:
                await episodes.close(connection, latest.id, "resolved", alert.ends_at)
        if effect not in (Effect.REFRESHED, Effect.STALE):
            text, details = _line(alert, effect)
            await journal.append(connection, "alert", text, details, episode_id=episode_id)
        await notices.mark_read(connection, notice.id, effect, episode_id)


def _key(notice: UnreadNotice) -> tuple[str, str]:
    return notice.source, notice.alert.fingerprint


def _line(alert: Alert, effect: Effect) -> tuple[str, dict[str, Any]]:
    """What the journal says of a notice that changed something."""
    text = f"{alert.name or alert.fingerprint} {alert.status} since {alert.starts_at.isoformat()}"
    return text, {"labels": alert.labels, "annotations": alert.annotations, "effect": effect}
