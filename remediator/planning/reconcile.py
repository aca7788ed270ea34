"""Closes episodes whose alert is gone although nobody said so, and incidents nothing is left of.

A silenced alert never sends resolved, and Alertmanager forgets its alerts when it restarts.
"""

from remediator.clients.alertmanager import AlertmanagerClient, PeerAnswer
from remediator.store import episodes, incidents, journal
from remediator.store.database import Database
from remediator.store.episodes import Episode

_ABSENT_SECONDS = 60.0


class Reconciler:
    """One unit of its work is one look at every open episode."""

    def __init__(self, database: Database, alertmanager: AlertmanagerClient) -> None:
        self._database = database
        self._alertmanager = alertmanager

    async def tick(self) -> bool:
        """Compare open episodes with what every peer lists; never finds more to do at once."""
        async with self._database.connection() as connection:
            opened = await episodes.all_open(connection)
        by_name: dict[str, list[Episode]] = {}
        for episode in opened:
            by_name.setdefault(episode.alertname, []).append(episode)
        for alertname, group in by_name.items():
            peers = await self._alertmanager.ask({"alertname": alertname}) if alertname else ()
            # Only when every peer answers does absence mean anything.
            if peers and all(peer.alerts is not None for peer in peers):
                await self._compare(group, peers)
        async with self._database.transaction() as connection:
            for incident_id in await incidents.close_finished(connection):
                await journal.append(
                    connection,
                    "incident",
                    "closed: no alert is open and no run is left",
                    incident_id=incident_id,
                )
        return False

    async def _compare(self, group: list[Episode], peers: tuple[PeerAnswer, ...]) -> None:
        listed = {alert.fingerprint for peer in peers for alert in peer.alerts or ()}
        async with self._database.transaction() as connection:
            for episode in group:
                if episode.fingerprint in listed:
                    await episodes.mark_present(connection, episode.id)
                elif await episodes.mark_absent(connection, episode.id, _ABSENT_SECONDS):
                    await episodes.close(connection, episode.id, "vanished", None)
                    text = f"{episode.alertname} is no longer listed by any Alertmanager peer"
                    await journal.append(connection, "alert", text, episode_id=episode.id)
