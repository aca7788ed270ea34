"""How the objectives that the target keeps are doing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.slo import Objective, SloStatus
from remediator.domain.sparkline import sparkline
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST = 10
_OF_ALERTS = (("sloth_id",), ("sloth_service", "sloth_slo"), ("slo",))
"""Labels by which an alert of Sloth or Pyrra names its objective; the first that it has decides."""
_OF_WORKLOADS = ("deployment", "statefulset", "daemonset", "workload", "service", "job", "app")


class Slo(Diagnostic):
    """State, error budget left, burn rate, the last seven days and their trend.

    Of the objective called `name`; else of the one whose alert made the run (Sloth's and Pyrra's labels); else of those
    that name the target, by `slos[].targets` of the settings or by the labels of their series.
    """

    deadline: ClassVar[timedelta] = timedelta(seconds=25)

    name: str | None = None
    """An objective as `remediator slo status` lists it."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        found = await kit.slos.statuses()
        ours = [each for each in found if self._meant(each.objective, run)]
        if not ours:
            which = f"called {self.name}" if self.name is not None else f"of {run.target} or its alert"
            said = f"no objective {which} is known; {len(found)} others are"
            return Evidence(step=self.key(), summary=said, failed=True)
        return Evidence(
            step=self.key(),
            summary="; ".join(_said(each) for each in ours[:_MOST]),
            details={
                "slos": [each.to_json() for each in ours[:_MOST]],
                "left_out": max(0, len(ours) - _MOST),
            },
        )

    def _meant(self, objective: Objective, run: RunView) -> bool:
        if self.name is not None:
            return objective.name == self.name
        labels: Mapping[str, str] = run.alert.labels if run.alert is not None else {}
        for names in _OF_ALERTS:
            if all(name in labels for name in names):
                return all(objective.labels.get(name) == labels[name] for name in names)
        if str(run.target) in objective.targets:
            return True
        named = {objective.labels.get(name) for name in _OF_WORKLOADS}
        return objective.labels.get("namespace") == run.target.namespace and run.target.name in named


def _said(status: SloStatus) -> str:
    name = status.objective.name
    if status.left is None:
        return f"{name}: {status.why}"
    said = f"{name}: {status.left:.0%} of the error budget left ({status.state.replace('_', ' ')})"
    if status.burn_rate is not None:
        said += f", burning at {status.burn_rate:.1f}"
    if status.history:
        said += f", 7 days {sparkline([each.left for each in status.history], 0.0, 1.0)}"
    if status.days_left is not None:
        said += f", used up in {status.days_left:.1f} days if it goes on so"
    return said
