"""ACTED: did it help? One not_recovered decides, all recovered is recovered, anything else is unknown."""

import asyncio
from datetime import datetime, timedelta

from remediator.domain.answers import Answer, Finding
from remediator.domain.change import Change
from remediator.errors import RemediatorError
from remediator.fault_points import FaultPoint, reach
from remediator.run import End, Entry, Hold, Plan, Run, State, Streak, TryNext, Verdict
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease
from remediator.step import Verification


class VerifyOutcome:
    """Asks the rung's verifications again and again until each has settled.

    An answer settles when it has held for the verification's `for`; not_recovered only after its
    `within`, and what has not settled by then is unknown. What recovered once and does not look so any more is
    waited for and never a reason for the next rung: pods move while another verification still waits. Once
    somebody has undone the change there is nothing left to verify, and no next rung either: people take over.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        if run.plan is None or run.acted_at is None:
            return End("the run carries no plan that was acted on", state=State.ESCALATED)
        gone = await self._undone(run.plan)
        if gone is not None:
            return End(gone, state=State.ESCALATED)
        verifications = run.ladder[run.rung].verifications
        keys = [f"{index}:{each.key()}" for index, each in enumerate(verifications)]
        before = [run.progress.get(key) for key in keys]
        asked = (self._ask(*each, run, run.plan.outcome) for each in zip(verifications, before, strict=True))
        streaks = await asyncio.gather(*asked)
        now = self._desk.kit.clock.now()
        last = run.acted_at + max(each.within + each.hold_for for each in verifications)
        settled = [
            _settled(verification, streak, now, run.acted_at, last)
            for verification, streak in zip(verifications, streaks, strict=True)
        ]
        progress = {
            key: streak.model_copy(
                update={"recovered_once": streak.recovered_once or answer is Answer.RECOVERED}
            )
            for key, streak, answer in zip(keys, streaks, settled, strict=True)
        }
        verdict = self._judge(run, progress, settled)
        if not isinstance(verdict, Hold):
            reach(FaultPoint.J32)
        return verdict

    async def _undone(self, plan: Plan) -> str | None:
        """Why there is nothing left to verify. What cannot be read is left to the verifications."""
        for change in plan.changes:
            try:
                why = await self._desk.effects.undone(change)
            except RemediatorError:
                return None
            if why is not None:
                return why
        return None

    async def _ask(
        self, verification: Verification, before: Streak | None, run: Run, change: Change
    ) -> Streak:
        finding = await call_step(
            verification.key(), verification.finding(change, run.view, self._desk.kit), verification.deadline
        )
        if isinstance(finding, Unanswered):
            finding = Finding(answer=Answer.UNKNOWN, why=finding.why)
        return _continued(before, finding, self._desk.kit.clock.now())

    def _judge(self, run: Run, progress: dict[str, Streak], settled: list[Answer | None]) -> Verdict:
        why = "; ".join(
            f"{key.partition(':')[2]}: {each.answer}, {each.why}" for key, each in progress.items()
        )
        entries = tuple(
            Entry("verification", f"{key.partition(':')[2]}: {each.answer}, {each.why}", each.to_json())
            for key, each in progress.items()
        )
        if Answer.NOT_RECOVERED in settled:
            return TryNext(f"it did not help: {why}", entries, progress=progress)
        if all(each is Answer.RECOVERED for each in settled):
            return End(f"verified: {why}", entries, progress=progress, state=State.RESOLVED)
        if None in settled:
            names = ", ".join(
                key.partition(":")[2] for key, each in zip(progress, settled, strict=True) if each is None
            )
            seconds = self._desk.rhythm.verify_every.total_seconds()
            return Hold(f"waiting for {names}", entries, progress=progress, seconds=seconds)
        return End(f"not verified: {why}", entries, progress=progress, state=State.ESCALATED)


def _continued(before: Streak | None, finding: Finding, now: datetime) -> Streak:
    """The streak goes on while the answer stays the same."""
    since = before.since if before is not None and before.answer == finding.answer else now
    once = before is not None and before.recovered_once
    return Streak(answer=finding.answer, since=since, why=finding.why, settled=once)


def _settled(
    verification: Verification, streak: Streak, now: datetime, acted_at: datetime, last: datetime
) -> Answer | None:
    """The verification's final answer, or None while it may still change.

    `last` is when the slowest of all verifications has had its time.
    """
    held = now - streak.since >= verification.hold_for
    late = now - acted_at >= verification.within
    if streak.answer == Answer.RECOVERED and held:
        return Answer.RECOVERED
    if streak.recovered_once:
        return Answer.UNKNOWN if now >= last else None
    if not late:
        return None
    if streak.answer == Answer.NOT_RECOVERED:
        return Answer.NOT_RECOVERED if held else None
    # Recovered, but not long enough: give it the time it asks for before calling it unknown.
    overdue = now - acted_at >= verification.within + max(verification.hold_for, timedelta(seconds=1))
    return Answer.UNKNOWN if streak.answer == Answer.UNKNOWN or overdue else None
