"""While nobody watches, alerts say nothing about the patient."""

from typing import ClassVar

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard


class MonitoringFresh(Guard):
    """A fresh Watchdog on Alertmanager, or the query that the settings name instead, must show that monitoring works.

    When the monitoring itself is broken everything seems to fire, or nothing (Reddit, March 2023: the path of the
    metrics shared the dependency that was down).
    """

    of_alerts: ClassVar[bool] = True

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        found = await kit.monitoring.heartbeat()
        if found.beats is None:
            return self.unknown(found.why, found.inputs)
        if not found.beats:
            return self.refuse(found.why, found.inputs, passing=True)
        return self.allow(found.why, found.inputs)
