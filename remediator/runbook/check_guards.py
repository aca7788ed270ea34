"""PROPOSED: may this change be made now? A shadow run ends here, with the whole plan."""

from remediator.domain.answers import GuardVerdict
from remediator.run import End, Proceed, Run, State, Verdict
from remediator.runbook.ask_guards import ask_guards, entries, refusal
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease


class CheckGuards:
    """Asks every guard about every change of the plan."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        verdicts: list[GuardVerdict] = []
        for change in run.plan.changes if run.plan else ():
            verdicts.extend(await ask_guards(self._desk, run, change))
        if run.mode == "shadow":
            return _shadowed(run, verdicts)
        asking = tuple(dict.fromkeys(each.sentence for each in verdicts if each.asks))
        known = tuple(dict.fromkeys(caveat for each in verdicts for caveat in each.caveats))
        said = {"asked": asking, "caveats": known}
        plan = run.plan.model_copy(update=said) if run.plan is not None else None
        refused = await refusal(self._desk, run, verdicts, agreed_to=asking)
        if refused is not None:
            return refused
        why = f"of {len(verdicts)} guards {len(asking)} want a person to agree" if asking else None
        return Proceed(why or f"all {len(verdicts)} guards allow it", entries(verdicts), plan=plan)


def _shadowed(run: Run, verdicts: list[GuardVerdict]) -> Verdict:
    against = [each.sentence for each in verdicts if not each.allows and not each.asks]
    asking = [each.sentence for each in verdicts if each.asks]
    asking += [reason for change in (run.plan.changes if run.plan else ()) for reason in change.ask_because]
    would = "it would have acted: every guard allows it"
    if against:
        would = f"it would not have acted: {'; '.join(against)}"
    elif asking:
        would = f"it would have asked a person: {'; '.join(asking)}"
    return End(f"mode shadow changes nothing; {would}", entries(verdicts), state=State.SHADOWED)
