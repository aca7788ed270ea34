"""DIAGNOSED: what exactly would each action change, from what to what?"""

from remediator.domain.answers import Proposal, Refusal
from remediator.domain.basis import Basis
from remediator.domain.change import Change
from remediator.run import End, Entry, Hold, Plan, Proceed, Run, State, Verdict
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease
from remediator.step import Guard


class Propose:
    """Asks the actions of the current rung for their changes; one refusal refuses the rung."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        if not run.ladder:
            return End("the rule only looks: the evidence is handed over", state=State.ESCALATED)
        basis = await self._basis(run)
        if isinstance(basis, Unanswered):
            return self._refused(run, basis.why, True, ())
        changes: list[Change] = []
        entries: list[Entry] = []
        for action in run.ladder[run.rung].actions:
            answer = await call_step(action.key(), action.propose(run.view, self._desk.kit), action.deadline)
            if isinstance(answer, Unanswered):
                answer = Proposal(refusal=Refusal(why=answer.why, passing=True))
            entries.extend(Entry.of(each) for each in answer.evidence)
            if not answer.changes:
                why = answer.refusal or Refusal(why="it proposed nothing")
                return self._refused(run, f"{action.key()}: {why.why}", why.passing, tuple(entries))
            changes.extend(answer.changes)
            entries.extend(_proposed(each) for each in answer.changes)
        plan = Plan(rung=run.rung, changes=tuple(changes), basis=basis)
        return Proceed("; ".join(each.summary for each in changes), tuple(entries), plan=plan)

    async def _basis(self, run: Run) -> Basis | Unanswered | None:
        """Read before the actions look: what changes while they do stops the plan, and is not taken for its basis."""
        return await call_step("what a plan rests on", self._desk.kit.basis(run.target), Guard.deadline)

    def _refused(self, run: Run, why: str, passing: bool, entries: tuple[Entry, ...]) -> Verdict:
        waited = self._desk.kit.clock.now() - run.rung_since
        if passing and waited <= self._desk.rhythm.give_up_holding_after:
            return Hold(why, entries, seconds=self._desk.rhythm.hold.total_seconds())
        # On a later rung something was changed already: that is no refusal, people have to take over.
        state = State.BLOCKED if run.rung == 0 else State.ESCALATED
        state = State.SHADOWED if run.mode == "shadow" else state
        return End(why, entries, state=state, plan_again=passing and state is State.BLOCKED)


def _proposed(change: Change) -> Entry:
    details = {
        "from": change.from_title,
        "to": change.to_title,
        "from_revision": change.from_revision,
        "to_revision": change.to_revision,
        "ask_because": list(change.ask_because),
        "caveats": list(change.caveats),
        "digest": change.digest,
    }
    return Entry("proposed", change.summary, details)
