"""One signal may mislead: a second one has to point at the same target."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.duration import Duration, format_duration
from remediator.domain.history import OpenAlert
from remediator.domain.matcher import parse_matchers
from remediator.domain.run_view import RunView, TriggerAlert
from remediator.kit import Kit
from remediator.step import Guard


def _matchers(line: str) -> str:
    parse_matchers(line)
    return line


class AlertsCorrelated(Guard):
    """Other alerts that began at about the same time have to be open as well.

    `alerts_correlated: {at_least: 1, match: ['{alertname="HighLatency"}'], within: 15m}`: so many alerts of other
    names have to be open on the same target, or in the same incident, that began at most `within` before or after the
    run's own. Two alerts of one name are one signal, and so are the pods of one alert. `match` are lines of matchers,
    one of which must match each; without them any other alert counts.
    (Slack, January 2021: CPU fell because threads waited, and the tier was scaled down.)
    """

    of_alerts: ClassVar[bool] = True

    at_least: int = Field(default=1, strict=True, ge=1, le=100)
    """So many other alerts."""
    match: tuple[Annotated[str, AfterValidator(_matchers)], ...] = Field(default=(), max_length=20)
    """Lines of matchers, as in a rule, of which each of them meets one; without, any other alert counts."""
    within: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))
    """They began no longer before or after the alert of the run."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        return self.judged(run.the_alert, await kit.history.open_beside(run.run_id, run.target))

    def judged(self, alert: TriggerAlert, open_beside: Iterable[OpenAlert]) -> GuardVerdict:
        """The verdict on an alert beside which these are open, itself perhaps among them."""
        lines = [parse_matchers(line) for line in self.match]
        beside = sorted(
            {
                each.alertname
                for each in open_beside
                if each.alertname != alert.name
                and abs(each.starts_at - alert.starts_at) <= self.within
                and (not lines or any(all(one.matches(each.labels) for one in line) for line in lines))
            }
        )
        inputs = {"beside": beside, "at_least": self.at_least, "within": format_duration(self.within)}
        if len(beside) >= self.at_least:
            return self.allow(f"{', '.join(beside)} points at it too", inputs)
        found = f"only {', '.join(beside)}" if beside else "no other alert"
        why = f"{found} points at it within {format_duration(self.within)}, wanted {self.at_least}"
        return self.refuse(why, inputs, passing=True)
