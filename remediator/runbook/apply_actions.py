"""APPROVED: lease, claim, read, guards again, intent, apply. The only stage that leads to a write."""

from collections.abc import Sequence

from remediator.domain.answers import GuardVerdict, Refusal
from remediator.domain.change import Change, Eviction
from remediator.effects.apply import Sent
from remediator.effects.recovery import Conclusion, Seen, SeenPod, conclude
from remediator.effects.window import Window
from remediator.errors import RemediatorError
from remediator.fault_points import FaultPoint, reach, reach_once_sent
from remediator.run import End, Hold, Proceed, Run, State, Verdict
from remediator.runbook.agreed import approval_for, objection
from remediator.runbook.ask_guards import (
    ask_before_write,
    ask_guards,
    before_each_write,
    entries,
    guards_for,
    refusal,
)
from remediator.runbook.desk import Desk
from remediator.runbook.lease import Lease
from remediator.runbook.outcomes import after, readable_again, recorded, unreadable
from remediator.store import attempts, journal
from remediator.store.approvals import Declined
from remediator.store.attempts import Attempt, LeaseLost

_REQUEST_SECONDS = 10.0
_MOST_SENDS = 2
_AGAIN_SECONDS = 2.0


class ApplyActions:
    """Makes each change of the rung once, whatever crashed before."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        changes = run.plan.changes if run.plan else ()
        async with self._desk.database.connection() as connection:
            made = await attempts.of_rung(connection, run)
        did: list[str] = []
        for index, change in enumerate(changes):
            attempt = made.get(index)
            if attempt is None and isinstance(change, Eviction) and await self._needless(change):
                did.append(f"pod {change.pod} became ready or went away by itself")
                continue
            if attempt is None:
                verdict = await self._first_time(run, lease, index, change)
            elif attempt.outcome is None:
                verdict = await self._after_interruption(run, lease, attempt)
            else:
                verdict = after(attempt.outcome, attempt.outcome_why or "")
            if verdict is not None:
                return verdict
            if (attempt is None or attempt.outcome is None) and index + 1 < len(changes):
                # A lease claims once: the next change gets an epoch and a lease of its own.
                return Hold(f"the next of {len(changes)} changes follows", progress={}, seconds=0)
            did.append(change.summary)
        return Proceed("; ".join(did), acted=True)

    async def _first_time(self, run: Run, lease: Lease, index: int, change: Change) -> Verdict | None:
        # Asked before the claim as well: a run that is held must not write a claim every time it looks.
        held = await self._objection(run, index, await ask_guards(self._desk, run, change))
        if held is not None:
            return held
        not_taken = await self._take(run, lease, index, change)
        if not_taken is not None:
            return not_taken
        verdicts = await ask_guards(self._desk, run, change)
        refused = await self._objection(run, index, verdicts)
        if refused is not None:
            return refused
        if isinstance(change, Eviction) and await self._needless(change):
            return Hold(f"pod {change.pod} became ready or went away meanwhile", progress={}, seconds=0)
        intended = await self._intend(run, index, change, verdicts)
        if isinstance(intended, LeaseLost):
            return Hold(intended.why, seconds=0)
        if isinstance(intended, Refusal):
            return self._unagreed(run, index, intended)
        if isinstance(intended, tuple):
            return await refusal(self._desk, run, intended)
        return await self._send(run, lease, intended)

    async def _objection(self, run: Run, index: int, verdicts: Sequence[GuardVerdict]) -> Hold | End | None:
        """What guards, by these verdicts, or people have against the change now, if anything."""
        refused = await refusal(self._desk, run, verdicts)
        if refused is not None:
            return refused
        unagreed = await objection(self._desk, run)
        return None if unagreed is None else self._unagreed(run, index, unagreed)

    def _unagreed(self, run: Run, index: int, why: Refusal) -> Hold | End:
        if why.passing:
            return self._passing(run, index, why.why)
        return End(why.why, state=State.DECLINED if isinstance(why, Declined) else _refused(run, index))

    def _passing(self, run: Run, index: int, why: str) -> Hold | End:
        """What stands in the way may go away by itself: wait, not for ever. An open intent ends with its outcome."""
        waited = self._desk.kit.clock.now() - run.rung_since
        if waited > self._desk.rhythm.give_up_holding_after:
            why = f"it did not become possible in {waited.total_seconds():.0f} s: {why}"
            return End(why, state=_refused(run, index))
        return Hold(why, seconds=self._desk.rhythm.hold.total_seconds())

    async def _take(self, run: Run, lease: Lease, index: int, change: Change) -> Verdict | None:
        """Claim the target and rehearse the change; what stands in the way, or None."""
        window = await self._window(run)
        if not isinstance(window, Window):
            return window
        claimed = await self._claim(run, lease, change, window)
        if isinstance(claimed, Refusal):
            why = f"claim: {claimed.why}"
            return self._passing(run, index, why) if claimed.passing else End(why, state=_refused(run, index))
        if not isinstance(claimed, Seen):
            return claimed
        if not claimed.is_from(change):
            why = f"the workload was changed since the plan was made, last by {claimed.who_changed(change)}"
            state = _refused(run, index)
            return End(why, state=state, plan_again=state is State.BLOCKED)
        return await self._rehearse(run, lease, index, change)

    async def _rehearse(self, run: Run, lease: Lease, index: int, change: Change) -> Verdict | None:
        """Whether the API server and its admission would take the change, before anything is intended."""
        deadline = min(_REQUEST_SECONDS, lease.seconds_left())
        if deadline <= 0:
            return Hold("the lease ran out before the rehearsal", seconds=0)
        marker = attempts.marker(run.id, run.rung, index)
        refused = await self._desk.effects.rehearse(change, marker, run.epoch, deadline)
        if refused is None:
            return None
        why = f"rehearsal: {refused.why}"
        return self._passing(run, index, why) if refused.passing else End(why, state=_refused(run, index))

    async def _needless(self, change: Eviction) -> bool:
        """Whether the pod is gone or has become ready by itself, which the Eviction API does not ask.

        A pod that cannot be read is not known to be: the guards then say so, and hold the run.
        """
        try:
            seen = await self._desk.effects.read_back(change)
        except RemediatorError:
            return False
        return conclude("", change, seen, sends=0) is Conclusion.CONVERGED

    async def _intend(
        self, run: Run, index: int, change: Change, verdicts: Sequence[GuardVerdict]
    ) -> Attempt | LeaseLost | Refusal | tuple[GuardVerdict, ...]:
        approved = approval_for(self._desk, run)
        if isinstance(approved, Refusal):
            return approved
        limits = [
            limit for guard in guards_for(self._desk, run, change) for limit in guard.limits(change, run.view)
        ]
        async with self._desk.database.transaction() as connection:
            intended = await attempts.commit_intent(
                connection, run, self._desk.owner, index, change, limits, approved
            )
            if isinstance(intended, Attempt):
                await journal.append_entries(connection, run, entries(verdicts))
                reach(FaultPoint.J23)
                reach_once_sent(FaultPoint.J24)
        reach(FaultPoint.J25)
        return intended

    async def _after_interruption(self, run: Run, lease: Lease, attempt: Attempt) -> Verdict | None:
        """An intent without an outcome: a crash, or an answer that told nothing. The object decides."""
        try:
            seen = await self._desk.effects.read_back(attempt.change)
        except RemediatorError as reason:
            return await unreadable(self._desk, run, attempt, reason.sentence)
        return readable_again(run, await self._judge(run, lease, attempt, seen))

    async def _judge(
        self, run: Run, lease: Lease, attempt: Attempt, seen: Seen | SeenPod | None
    ) -> Verdict | None:
        """What becomes of an intent without an outcome, by what was read of the object."""
        if not _open(attempt, seen):
            return await recorded(self._desk, run, attempt, seen)
        window = await self._window_again(run, attempt, seen)
        if not isinstance(window, Window):
            return window
        # Our claim under a higher epoch makes the server refuse every copy that is still under way.
        claimed = await self._claim(run, lease, attempt.change, window)
        if isinstance(claimed, Refusal):
            why = f"claim: {claimed.why}"
            if claimed.passing:
                return Hold(why, seconds=_AGAIN_SECONDS)
            return await unreadable(self._desk, run, attempt, why)
        if not isinstance(claimed, Seen):
            return claimed
        if not isinstance(attempt.change, Eviction):
            seen = claimed
        return await self._once_more(run, lease, attempt, seen)

    async def _window_again(
        self, run: Run, attempt: Attempt, seen: Seen | SeenPod | None
    ) -> Window | Verdict:
        """As `_window`, for an attempt that is still open."""
        if attempt.sends == 0:
            # As the first time: a run that is held must not write a claim every time it looks.
            held = await self._objection(
                run, attempt.action_index, await ask_guards(self._desk, run, attempt.change)
            )
            if held is not None:
                return held
        window = await self._window(run)
        if isinstance(window, End):
            await recorded(self._desk, run, attempt, seen, not_applied=window.why)
        return window

    async def _once_more(
        self, run: Run, lease: Lease, attempt: Attempt, seen: Seen | SeenPod | None
    ) -> Verdict | None:
        """Send the same attempt again, if it is still not applied and everybody still agrees."""
        if not _open(attempt, seen):
            return await recorded(self._desk, run, attempt, seen)
        if attempt.sends >= _MOST_SENDS:
            why = f"it was sent {attempt.sends} times and the API server did not apply it"
            return await recorded(self._desk, run, attempt, seen, not_applied=why)
        refused = await self._objection(
            run, attempt.action_index, await ask_guards(self._desk, run, attempt.change)
        )
        if isinstance(refused, End):
            await recorded(self._desk, run, attempt, seen, not_applied=refused.why)
        return refused or await self._send(run, lease, attempt)

    async def _window(self, run: Run, *, counts_too: bool = True) -> Window | Hold | End:
        """In which a write may begin: opened before pauses and freezes are looked at; or what they say."""
        window = Window(self._desk.kit.clock)
        verdicts = await ask_before_write(self._desk, run, counts_too=counts_too)
        return await refusal(self._desk, run, verdicts) or window

    async def _claim(self, run: Run, lease: Lease, change: Change, window: Window) -> Seen | Refusal | Hold:
        deadline = min(_REQUEST_SECONDS, lease.seconds_left())
        if deadline <= 0:
            return Hold("the lease ran out before the claim", seconds=0)
        claimed = await self._desk.effects.claim(change.target, change.uid, run.epoch, deadline, window)
        return claimed if isinstance(claimed, Refusal) else Seen.of(claimed)

    async def _send(self, run: Run, lease: Lease, attempt: Attempt) -> Verdict | None:
        window = await self._window(run, counts_too=False)
        if not isinstance(window, Window):
            return _in_doubt(attempt, window)
        limits = [each for guard in before_each_write(self._desk) for each in guard.target_limits(run.view)]
        async with self._desk.database.transaction() as connection:
            may = await attempts.sending(connection, run, self._desk.owner, attempt, limits)
        if isinstance(may, LeaseLost):
            return Hold(may.why, seconds=0)
        refused = await refusal(self._desk, run, may)
        if refused is not None:
            return _in_doubt(attempt, refused)
        deadline = min(_REQUEST_SECONDS, lease.seconds_left())
        if deadline <= 0:
            return Hold("the lease ran out before the change was sent", seconds=0)
        sent = await self._desk.effects.apply(attempt.change, attempt.marker, run.epoch, deadline, window)
        if not sent.may_land:
            return await self._taken_back(run, attempt, sent.said)
        return await self._sent(run, attempt, sent)

    async def _taken_back(self, run: Run, attempt: Attempt, why: str) -> Verdict:
        """The request cannot take effect: the intent stays, and everybody is asked again before it is sent."""
        async with self._desk.database.transaction() as connection:
            await attempts.take_back(connection, run, attempt)
        waited = self._desk.kit.clock.now() - run.rung_since
        if waited > self._desk.rhythm.give_up_holding_after:
            return _in_doubt(attempt, End(why, state=_refused(run, attempt.action_index)))
        return Hold(why, seconds=_AGAIN_SECONDS)

    async def _sent(self, run: Run, attempt: Attempt, sent: Sent) -> Verdict | None:
        """What became of a change that may have reached the server: the object itself tells."""
        try:
            seen = await self._desk.effects.read_back(attempt.change)
        except RemediatorError as reason:
            return await unreadable(self._desk, run, attempt, reason.sentence)
        attempt = attempt.model_copy(update={"sends": attempt.sends + 1})
        if not _open(attempt, seen):
            return await recorded(self._desk, run, attempt, seen)
        if sent.final:
            return await recorded(self._desk, run, attempt, seen, not_applied=sent.said)
        return Hold(f"not applied yet: {sent.said}", seconds=max(_AGAIN_SECONDS, sent.retry_after))


def _refused(run: Run, index: int) -> State:
    """How a run ends that may not go on: after a change was made people have to take over."""
    return State.BLOCKED if index == 0 and run.rung == 0 else State.ESCALATED


def _in_doubt(attempt: Attempt, refused: Hold | End) -> Hold | End:
    """An earlier copy may still be under way: such a run is ended only after looking at the object and claiming it."""
    if isinstance(refused, End) and attempt.sends:
        return Hold(refused.why, refused.entries, seconds=_AGAIN_SECONDS)
    return refused


def _open(attempt: Attempt, seen: Seen | SeenPod | None) -> bool:
    """Whether what is seen shows that the attempt has not been applied yet, and still may be."""
    return conclude(attempt.marker, attempt.change, seen, attempt.sends) is Conclusion.NOT_YET
