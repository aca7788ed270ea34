"""CLEARED: does a person have to say yes?"""

from datetime import datetime

from remediator.domain.answers import Refusal
from remediator.domain.levels import Agreement
from remediator.fault_points import FaultPoint, reach
from remediator.run import Asks, End, Hold, Plan, Proceed, Run, State, Verdict
from remediator.runbook.agreed import counts_no_more, needed_for
from remediator.runbook.ask_guards import ask_about_plan, cleared, entries, refusal
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease
from remediator.runbook.notices import of_request
from remediator.store import approvals
from remediator.store.approvals import ApprovalRequest

_LOOK_EVERY = 5.0
"""Seconds. An answer makes the run due at once; a run that was being looked at just then comes up after this."""


class AwaitApproval:
    """Asks for what takes people, and waits for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        plan = run.plan or Plan(rung=run.rung, changes=())
        needed = needed_for(self._desk, run, plan)
        if isinstance(needed, Refusal):
            return End(needed.why, state=_without(run))
        if needed.people == 0:
            return Proceed("no person has to agree")
        async with self._desk.database.connection() as connection:
            asked = await approvals.open_request(connection, run.id)
            now = await approvals.now(connection)
        if asked is None or asked.rung != run.rung:
            return self._ask(run, plan, needed, now)
        over = await self._over(run, asked, now)
        if over is not None:
            return over
        if not asked.granted:
            return self._wait(asked, now)
        return await self._granted(run, asked, now)

    def _ask(self, run: Run, plan: Plan, needed: Agreement, now: datetime, because: str = "") -> Verdict:
        """A new request, with the notice of it."""
        expires_at = now + self._desk.rhythm.approval_expires
        asks = Asks(digest=run.digest_of(plan, needed), needed=needed, expires_at=expires_at)
        approvers = self._desk.people.named("approve")
        notice = of_request(run, plan, asks, approvers, self._desk.kit.clock.now())
        who = "a person" if needed.people == 1 else f"{needed.people} people"
        why = f"{who} must agree to plan {asks.digest} until {_time(expires_at)}: {'; '.join(needed.why)}"
        why = f"{because}; {why}" if because else why
        return Hold(why, plan=plan, asks=asks, notices=(notice,), seconds=_LOOK_EVERY)

    async def _over(self, run: Run, asked: ApprovalRequest, now: datetime) -> Verdict | None:
        """How the waiting ends without a yes, if it does."""
        if asked.no is not None:
            return End(f"{asked.no.who} said no: {asked.no.why}", state=State.DECLINED)
        if run.rung == 0 and await cleared(self._desk, run):
            return End("the alert cleared while people were asked", state=State.CANCELLED)
        if now < asked.expires_at:
            return None
        agreed = " and ".join(each.who for each in asked.yes)
        if asked.granted:
            why = f"{agreed} agreed, but the approval expired at {_time(asked.expires_at)} before it could be used"
        else:
            why = f"{f'only {agreed}' if agreed else 'nobody'} agreed until {_time(asked.expires_at)}"
        return End(f"{why}: {'; '.join(asked.asked)}", state=_without(run))

    def _wait(self, asked: ApprovalRequest, now: datetime) -> Verdict:
        said = f"{len(asked.yes)} of {asked.people} people agreed"
        if asked.yes:
            said += f" ({', '.join(each.who for each in asked.yes)})"
        left = (asked.expires_at - now).total_seconds()
        why = f"{said}; plan {asked.digest} waits until {_time(asked.expires_at)}: {'; '.join(asked.asked)}"
        return Hold(why, seconds=min(_LOOK_EVERY, left))

    async def _granted(self, run: Run, asked: ApprovalRequest, now: datetime) -> Verdict:
        """Enough people agreed: do they still count, and is it still what they agreed to?"""
        reach(FaultPoint.J19)
        lost = await counts_no_more(self._desk, asked)
        if lost is not None and lost.passing:
            return Hold(lost.why, seconds=self._desk.rhythm.hold.total_seconds())
        verdicts = await ask_about_plan(self._desk, run)
        plan = (run.plan or Plan(rung=run.rung, changes=())).judged(verdicts)
        refused = await refusal(self._desk, run, verdicts, agreed_to=plan.asked)
        if refused is not None:
            return refused
        needed = needed_for(self._desk, run, plan)
        if isinstance(needed, Refusal):
            return End(needed.why, entries(verdicts), state=_without(run))
        if needed.people == 0:
            return Proceed(
                "there is nothing left that a person has to agree to", entries(verdicts), plan=plan
            )
        agreed = ", ".join(f"{each.who}{f' ({each.why})' if each.why else ''}" for each in asked.yes)
        if lost is not None:
            return self._ask(run, plan, needed, now, because=lost.why)
        if run.digest_of(plan, needed) != asked.digest:
            because = f"what was asked has changed since {agreed} agreed to plan {asked.digest}"
            return self._ask(run, plan, needed, now, because=because)
        return Proceed(f"{agreed} agreed to plan {asked.digest}", entries(verdicts))


def _without(run: Run) -> State:
    """How a run ends that nobody agreed to: on a later rung something was changed already, and people take over."""
    return State.BLOCKED if run.rung == 0 else State.ESCALATED


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"
