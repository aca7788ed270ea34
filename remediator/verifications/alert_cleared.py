"""The alert that made the run is gone, or whatever was open on the target."""

from datetime import timedelta

from pydantic import Field

from remediator.domain.answers import Answer, Finding
from remediator.domain.change import Change
from remediator.domain.duration import Duration
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Verification


class AlertCleared(Verification):
    """Recovered by a resolved notice, or by absence from every reachable peer while monitoring works.

    It never answers not recovered: a windowed alert fires on long after a good fix. Absence counts
    only when it is seen again at least a minute later, so `for` is never shorter than that. Of a run that a
    person asked for it is recovered when no alert of the target is open, while monitoring works.
    """

    hold_for: Duration = Field(default=timedelta(minutes=1), alias="for", ge=timedelta(seconds=0))
    """The alert has to stay away this long."""
    within: Duration = timedelta(minutes=45)
    """When it has not settled this long after the effect, nobody knows whether it helped."""
    watchdog: str | None = None
    """The alertname of the alert that always fires; else what the settings say under `monitoring`."""

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
        heartbeat = await kit.monitoring.heartbeat(self.watchdog)
        if not heartbeat.beats:
            why = f"the alert is absent, which proves nothing: {heartbeat.why}"
            return Finding(answer=Answer.UNKNOWN, why=why, inputs=heartbeat.inputs)
        return Finding(answer=Answer.RECOVERED, why="no reachable Alertmanager peer lists the alert")

    async def _nothing_open(self, run: RunView, kit: Kit) -> Finding:
        """No alert made the run, so all of its target count."""
        still_open = await kit.history.alerts_open_on(run.target)
        if still_open:
            return Finding(answer=Answer.UNKNOWN, why=f"{', '.join(still_open)} is open on {run.target}")
        heartbeat = await kit.monitoring.heartbeat(self.watchdog)
        if not heartbeat.beats:
            why = f"no alert of {run.target} is open, which proves nothing: {heartbeat.why}"
            return Finding(answer=Answer.UNKNOWN, why=why, inputs=heartbeat.inputs)
        return Finding(answer=Answer.RECOVERED, why=f"no alert of {run.target} is open")
