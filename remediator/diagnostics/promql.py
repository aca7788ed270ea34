"""A number from Prometheus, for the record."""

from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.substitution import NothingToSubstitute, substitute
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST = 20


class Promql(Diagnostic):
    """`promql: {query: ...}`: the instant vector as it is when the run looks."""

    query: str
    """What Prometheus is asked; `${target.namespace}` and the like are filled in."""
    title: str | None = None
    """What people read above the answer; the query itself where there is none."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        try:
            query = substitute(self.query, run)
        except NothingToSubstitute as reason:
            return Evidence(step=self.key(), summary=str(reason), failed=True)
        samples = await kit.prometheus.query(query)
        rows = [{"labels": each.labels, "value": str(each.value)} for each in samples[:_MOST]]
        shown = ", ".join(f"{each.value:g}" for each in samples[:3]) or "no series"
        return Evidence(
            step=self.key(),
            summary=f"{self.title or 'query'}: {shown}",
            details={"query": query, "series": rows, "left_out": max(0, len(samples) - _MOST)},
        )
