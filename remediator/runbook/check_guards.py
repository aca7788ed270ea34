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
            return _shadowed(verdicts)
        refused = await refusal(self._desk, run, verdicts)
        return refused or Proceed(f"all {len(verdicts)} guards allow it", entries(verdicts))


def _shadowed(verdicts: list[GuardVerdict]) -> Verdict:
    against = [each for each in verdicts if not each.allows]
    would = (
        "it would not have acted: " + "; ".join(f"{each.guard}: {each.why}" for each in against)
        if against
        else "it would have acted: every guard allows it"
    )
    return End(f"mode shadow changes nothing; {would}", entries(verdicts), state=State.SHADOWED)
