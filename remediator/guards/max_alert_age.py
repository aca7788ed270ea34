"""What helps against an alert of two minutes may harm hours later."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView, TriggerAlert
from remediator.kit import Kit
from remediator.step import Guard


class MaxAlertAge(Guard):
    """`max_alert_age: 2h`: nothing is changed for an alert that began longer ago.

    A queue that was drained late and an approval given hours afterwards are both too late: somebody has seen
    to it meanwhile, or the problem is another by now. Age is since the alert's startsAt, or since we first
    received it where a peer says something later.
    """

    bare: ClassVar[str | None] = "age"
    of_alerts: ClassVar[bool] = True

    age: Duration = Field(gt=timedelta(0))
    """So old an alert may be."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        return self.judged(run.the_alert, kit.clock.now())

    def judged(self, alert: TriggerAlert, now: datetime) -> GuardVerdict:
        """The verdict on an alert at this moment."""
        began = min(alert.starts_at, alert.received_at)
        age = now - began
        inputs = {"began": began.isoformat(), "at_most": format_duration(self.age)}
        since = format_duration(timedelta(seconds=round(age.total_seconds())))
        told = f"{alert.name or 'the alert'} began {since} ago"
        if age > self.age:
            return self.refuse(f"{told}, longer than {format_duration(self.age)}", inputs)
        return self.allow(told, inputs)
