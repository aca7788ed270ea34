"""The alert that made the run is gone, or whatever was open on the target."""

from datetime import datetime, timedelta

from pydantic import Field

from remediator.domain.answers import Answer, Finding
from remediator.domain.change import Change
from remediator.domain.duration import Duration
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Verification

WATCHDOG_FRESH = timedelta(minutes=5)
"""Prometheus sends what fires every minute unless told otherwise (--rules.alert.resend-delay)."""


class AlertCleared(Verification):
    """Recovered by a resolved notice, or by absence from every reachable peer while Watchdog is fresh.

    It never answers not recovered: a windowed alert fires on long after a good fix. Absence counts
    only when it is seen again at least a minute later, so `for` is never shorter than that. Of a run that a
    person asked for it is recovered when no alert of the target is open, while Watchdog is fresh.
    """

    hold_for: Duration = Field(default=timedelta(minutes=1), alias="for", ge=timedelta(seconds=0))
    within: Duration = timedelta(minutes=45)
    watchdog: str = "Watchdog"
    """The alertname of the alert that always fires, which shows that Prometheus still reaches Alertmanager."""

    async def finding(self, change: Change, run: RunView, kit: Kit) -> Finding:
        if run.alert is None:
            return await self._nothing_open(run, kit)
        if not await kit.history.open_alerts(run.run_id):
            return Finding(answer=Answer.RECOVERED, why="Alertmanager sent that it is resolved")
        peers = await kit.alertmanager.ask({"alertname": run.alert.name})
        reachable = [peer for peer in peers if peer.alerts is not None]
        if not reachable:
            return Finding(answer=Answer.UNKNOWN, why="no Alertmanager peer answers")
        listing = [
            p.peer for p in reachable if run.alert.fingerprint in {a.fingerprint for a in p.alerts or ()}
        ]
        if listing:
            return Finding(answer=Answer.UNKNOWN, why=f"{listing[0]} still lists the alert")
        if not await self._monitoring_lives(kit):
            return Finding(
                answer=Answer.UNKNOWN, why=f"the alert is absent, but so is a fresh {self.watchdog}"
            )
        return Finding(answer=Answer.RECOVERED, why="no reachable Alertmanager peer lists the alert")

    async def _nothing_open(self, run: RunView, kit: Kit) -> Finding:
        """No alert made the run, so all of its target count."""
        still_open = await kit.history.alerts_open_on(run.target)
        if still_open:
            return Finding(answer=Answer.UNKNOWN, why=f"{', '.join(still_open)} is open on {run.target}")
        if not await self._monitoring_lives(kit):
            return Finding(
                answer=Answer.UNKNOWN,
                why=f"no alert of {run.target} is open, but no {self.watchdog} is fresh",
            )
        return Finding(answer=Answer.RECOVERED, why=f"no alert of {run.target} is open")

    async def _monitoring_lives(self, kit: Kit) -> bool:
        now: datetime = kit.clock.now()
        for peer in await kit.alertmanager.ask({"alertname": self.watchdog}):
            for alert in peer.alerts or ():
                if alert.state == "active" and now - alert.updated_at < WATCHDOG_FRESH:
                    return True
        return False
