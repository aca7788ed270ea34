"""A target on which acting has failed again and again is left to people."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard


class Breaker(Guard):
    """Refuses for good while the target's breaker is open, and hands over.

    It counts what any rule did to the target because of an alert: a change that ended ESCALATED, and one that
    helped until its alert came back. It is asked about a change and not before, so that people get the evidence
    as well. What a person undoes is people's own.
    """

    def concerns(self, run: RunView) -> bool:
        return run.asked_by is None or run.asked_by.undo_of is None

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        state = await kit.history.breaker(run.target)
        inputs = {
            "failures": [each.sentence for each in state.failures],
            "opens_at": state.opens_at,
            "opening": state.opening.id if state.opening is not None else None,
        }
        tried = state.why_open
        if tried is None:
            return self.allow(f"{len(state.failures)} failures count, fewer than {state.opens_at}", inputs)
        until = state.opening.until if state.opening is not None else None
        how_long = f"until {until:%Y-%m-%d %H:%M} UTC or " if until is not None else ""
        return self.refuse(
            f"{run.target} is left to people {how_long}until somebody closes its breaker: {tried}",
            inputs,
            hands_over=True,
        )
