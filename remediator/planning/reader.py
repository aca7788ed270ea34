"""Reads stored notices and lets each open, refresh or close the episode of its alert."""

from remediator.planning.episode import Effect, effect_of
from remediator.store import episodes, journal, notices
from remediator.store.database import Connection, Database
from remediator.store.notices import UnreadNotice

_BATCH = 200
_AGAIN_SECONDS = 60.0


class Reader:
    """One unit of its work is a batch of notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tick(self) -> bool:
        """Read one batch; True when there was one, and so there may be more."""
        async with self._database.transaction() as connection:
            batch = await notices.take_unread(connection, _BATCH, _AGAIN_SECONDS)
        for notice in batch:
            async with self._database.transaction() as connection:
                await self._read(connection, notice)
        return bool(batch)

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
            text = f"{alert.name or alert.fingerprint} {alert.status} since {alert.starts_at.isoformat()}"
            details = {"labels": alert.labels, "annotations": alert.annotations, "effect": effect}
            await journal.append(connection, "alert", text, details, episode_id=episode_id)
        await notices.mark_read(connection, notice.id, effect, episode_id)
