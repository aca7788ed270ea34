"""Fetches the alerts Alertmanager cut from a truncated group, and stores them as if they had been sent."""

from remediator.clients.alertmanager import AlertmanagerClient, PeerAlert
from remediator.domain.alert import Alert
from remediator.store import backfills, notices
from remediator.store.backfills import Backfill
from remediator.store.database import Database


class Backfiller:
    """One unit of its work is one truncated group."""

    def __init__(self, database: Database, alertmanager: AlertmanagerClient) -> None:
        self._database = database
        self._alertmanager = alertmanager

    async def tick(self) -> bool:
        """Fetch one group; True when there may be more. What no peer answers for stays due."""
        async with self._database.transaction() as connection:
            group = await backfills.take_due(connection)
        if group is None:
            return False
        await self._fetch(group)
        return True

    async def _fetch(self, group: Backfill) -> None:
        peers = await self._alertmanager.ask(group.group_labels)
        listed = [each for peer in peers for each in peer.alerts or ()]
        if all(peer.alerts is None for peer in peers):
            why = (
                "; ".join(f"{peer.peer}: {peer.error}" for peer in peers)
                or "no Alertmanager is configured to ask"
            )
            async with self._database.transaction() as connection:
                await backfills.failed(connection, group.id, why)
            return
        firing = {each.fingerprint: _as_alert(each) for each in listed if each.state != "suppressed"}
        async with self._database.transaction() as connection:
            await notices.store_alerts(connection, group.source, list(firing.values()))
            await backfills.done(connection, group.id)


def _as_alert(listed: PeerAlert) -> Alert:
    return Alert(
        status="firing",
        labels=listed.labels,
        annotations=listed.annotations,
        starts_at=listed.starts_at,
        ends_at=None,
    )
