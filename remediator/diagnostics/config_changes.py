"""Which of the ConfigMaps that the target uses changed, as the memory saw it."""

from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import Field

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.duration import Duration, format_duration
from remediator.domain.history import ConfigStretch
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.config_maps import mentioned_config_maps

_MOST = 50
_IN_SUMMARY = 5


class ConfigChanges(Diagnostic):
    """Each change with its time and how long before the alert it was. Hashes only: what they hold is not kept.

    Only the ConfigMaps that the pods mention, in namespaces that have opted in, and only while the memory looked.
    """

    window: Duration = Field(default=timedelta(days=1), ge=timedelta(minutes=5), le=timedelta(days=30))
    """How far back."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        names = mentioned_config_maps(seen.template)
        if not names:
            return Evidence(step=self.key(), summary="its pods use no ConfigMap")
        stretches = await kit.history.config_stretches(run.target, names)
        alert_at = run.alert.starts_at if run.alert is not None else None
        since = kit.clock.now() - self.window
        rows = [row for each in sorted(names) for row in _changes(each, stretches, since, alert_at)]
        rows.sort(key=lambda row: str(row["at"]), reverse=True)
        unknown = sorted(names - {each.name for each in stretches})
        return Evidence(
            step=self.key(),
            summary=_said(rows, unknown, self.window),
            details={
                "config_maps": sorted(names),
                "changes": rows[:_MOST],
                "never_seen": unknown,
                "left_out": max(0, len(rows) - _MOST),
            },
        )


def _changes(
    name: str, stretches: list[ConfigStretch], since: datetime, alert_at: datetime | None
) -> list[JsonObject]:
    """The moments at which it began to hold something else; the first content that was ever seen is no change."""
    of_it = [each for each in stretches if each.name == name]
    found = []
    for before, after in pairwise(of_it):
        if after.began_at >= since:
            row: JsonObject = {"config_map": name, "at": after.began_at.isoformat()}
            row |= {"from": before.hash[:12], "to": after.hash[:12]}
            if alert_at is not None:
                row["minutes_before_alert"] = round((alert_at - after.began_at).total_seconds() / 60, 1)
            found.append(row)
    if of_it and of_it[-1].ended_at is not None and of_it[-1].ended_at >= since:
        found.append({"config_map": name, "at": of_it[-1].ended_at.isoformat(), "to": None})
    return found


def _said(rows: list[JsonObject], unknown: list[str], window: timedelta) -> str:
    told = [_told(row) for row in rows[:_IN_SUMMARY]]
    said = "; ".join(told) or f"none of its ConfigMaps changed within {format_duration(window)}"
    return said + (f"; never seen: {', '.join(unknown)}" if unknown else "")


def _told(row: JsonObject) -> str:
    if row["to"] is None:
        return f"{row['config_map']} is gone since {row['at']}"
    before = row.get("minutes_before_alert")
    when = f"at {row['at']}"
    if before is not None:
        when = f"{before:g} min before the alert" if before >= 0 else f"{-before:g} min after the alert began"
    return f"{row['config_map']} changed {when}"
