"""PROPOSED: may this change be made now? A shadow run ends here, with the whole plan."""

from remediator.domain.answers import GuardVerdict
from remediator.fault_points import FaultPoint, reach
from remediator.run import End, Proceed, Run, State, Verdict
from remediator.runbook.ask_guards import ask_about_plan, entries, refusal
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease


class CheckGuards:
    """Asks every guard about every change of the plan."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        reach(FaultPoint.J14)
        verdicts = await ask_about_plan(self._desk, run)
        if run.mode == "shadow":
            return _shadowed(run, verdicts)
        plan = run.plan.judged(verdicts) if run.plan is not None else None
        asking = plan.asked if plan is not None else ()
        refused = await refusal(self._desk, run, verdicts, agreed_to=asking)
        if refused is not None:
            return refused
        why = f"of {len(verdicts)} guards {len(asking)} want a person to agree" if asking else None
        return Proceed(why or f"all {len(verdicts)} guards allow it", entries(verdicts), plan=plan)


def _shadowed(run: Run, verdicts: list[GuardVerdict]) -> Verdict:
    against = [each.sentence for each in verdicts if not each.allows and not each.asks]
    asking = [each.sentence for each in verdicts if each.asks]
    asking += run.plan.reasons if run.plan else ()
    would = "it would have acted: every guard allows it"
    if against:
        would = f"it would not have acted: {'; '.join(against)}"
    elif asking:
        would = f"it would have asked a person: {'; '.join(asking)}"
    return End(f"mode shadow changes nothing; {would}", entries(verdicts), state=State.SHADOWED)
