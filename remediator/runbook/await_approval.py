"""CLEARED: does a person have to say yes?"""

from remediator.run import End, Proceed, Run, State, Verdict
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease


class AwaitApproval:
    """Lets through what needs no person. Approvals themselves cannot be given yet, so the rest ends here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        reasons = [
            reason for change in (run.plan.changes if run.plan else ()) for reason in change.ask_because
        ]
        reasons += run.plan.asked if run.plan else ()
        if run.mode == "ask":
            reasons.insert(0, "the rule is in mode ask")
        if not reasons:
            return Proceed("no person has to agree")
        # On a later rung something was changed already: that is no refusal, people have to take over.
        return End(
            f"a person would have to agree, and this version cannot take approvals yet: {'; '.join(reasons)}",
            state=State.BLOCKED if run.rung == 0 else State.ESCALATED,
        )
