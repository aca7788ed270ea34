"""What a query gave over the last while, for the record."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field

from remediator.clients.prometheus import Series
from remediator.domain.answers import Evidence
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.domain.sparkline import sparkline
from remediator.domain.substitution import NothingToSubstitute, substitute
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST = 10
_POINTS = 60
_FINEST = timedelta(seconds=15)


class PromqlRange(Diagnostic):
    """`promql_range: {query: ..., window: 1h}`: up to sixty values a series, as a line, with least, most and last."""

    query: str
    """What Prometheus is asked; `${target.namespace}` and the like are filled in."""
    window: Duration = Field(default=timedelta(hours=1), ge=timedelta(minutes=5), le=timedelta(days=30))
    """How far back."""
    title: str | None = None
    """What people read above the answer; the query itself where there is none."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        try:
            query = substitute(self.query, run)
        except NothingToSubstitute as reason:
            return Evidence(step=self.key(), summary=str(reason), failed=True)
        step = max(_FINEST, timedelta(seconds=math.ceil(self.window.total_seconds() / _POINTS)))
        now = kit.clock.now()
        found = await kit.prometheus.ranged(query, now - self.window, now, step)
        last = round(self.window / step)
        rows = [_row(each, now - self.window, step, last) for each in found[:_MOST]]
        shown = "; ".join(f"{row['line']} {row['said']}" for row in rows[:3]) or "no series"
        return Evidence(
            step=self.key(),
            summary=f"{self.title or 'query'}, {format_duration(self.window)}: {shown}",
            details={
                "query": query,
                "step_seconds": step.total_seconds(),
                "series": rows,
                "left_out": max(0, len(found) - _MOST),
            },
        )


def _row(series: Series, begin: datetime, step: timedelta, last: int) -> JsonObject:
    """Gaps are dots in the line: a value stands where its moment is."""
    line: list[float | None] = [None] * (last + 1)
    for moment, value in series.samples:
        line[min(max(round((moment - begin) / step), 0), last)] = value
    finite = [value for _, value in series.samples if math.isfinite(value)]
    row: JsonObject = {"labels": series.labels, "line": sparkline(line)}
    if not finite:
        return {**row, "said": "no number"}
    row |= {"least": min(finite), "most": max(finite), "last": str(series.samples[-1][1])}
    return {**row, "said": f"from {min(finite):g} to {max(finite):g}, last {_last(series.samples):g}"}


def _last(samples: Sequence[tuple[datetime, float]]) -> float:
    return samples[-1][1]
