"""PLANNED: what does it look like, before anything destroys the evidence?"""

import asyncio
from dataclasses import replace

from remediator.domain.answers import Evidence
from remediator.domain.value import canonical
from remediator.fault_points import FaultPoint, reach
from remediator.kit import Kit
from remediator.run import Entry, Proceed, Run, Verdict
from remediator.runbook.ask_guards import ask_about_target, refusal
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease
from remediator.step import Diagnostic

MOST_BYTES = 256 * 1024
"""A look that brings more is cut: evidence is read by people."""


class CollectDiagnostics:
    """Runs the rule's diagnostics side by side, on one look. One that fails is recorded and stops nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        reach(FaultPoint.J10)
        if run.mode != "shadow":
            # What a person has to agree to is asked with the whole plan, later.
            verdicts = [each for each in await ask_about_target(self._desk, run) if not each.asks]
            refused = await refusal(self._desk, run, verdicts)
            if refused is not None:
                return refused
        async with self._desk.kit.kube.one_look() as kube:
            kit = replace(self._desk.kit, kube=kube)
            looks = await asyncio.gather(*(self._look(each, run, kit) for each in run.rule.diagnostics))
        reach(FaultPoint.J12)
        failed = sum(1 for each in looks if each.failed)
        why = f"{len(looks)} diagnostics collected" + (f", {failed} of them failed" if failed else "")
        return Proceed(why, tuple(Entry.of(each) for each in looks))

    async def _look(self, diagnostic: Diagnostic, run: Run, kit: Kit) -> Evidence:
        with self._desk.metrics.diagnostic_seconds.labels(diagnostic.key()).time():
            seen = await call_step(diagnostic.key(), diagnostic.look(run.view, kit), diagnostic.deadline)
        reach(FaultPoint.J11)
        if isinstance(seen, Unanswered):
            return Evidence(step=diagnostic.key(), summary=seen.why, failed=True)
        size = len(canonical(seen.details))
        if size > MOST_BYTES:
            return seen.model_copy(update={"details": {"left_out": f"{size} bytes, more than {MOST_BYTES}"}})
        return seen
