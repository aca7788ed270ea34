"""What an attempt's outcome means for its run."""

from datetime import timedelta
from typing import assert_never

from remediator.effects.recovery import Conclusion, Seen, conclude
from remediator.run import End, Hold, Run, State, Verdict
from remediator.runbook.desk import Desk
from remediator.runbook.notices import of_effect
from remediator.store import attempts, outbox
from remediator.store.attempts import Attempt, Outcome

_GIVE_UP_READING_AFTER = timedelta(minutes=10)
_AGAIN_SECONDS = 5.0


async def recorded(
    desk: Desk, run: Run, attempt: Attempt, seen: Seen | None, *, not_applied: str | None = None
) -> Verdict | None:
    """Record what the object says became of the attempt; None when the run may go on."""
    conclusion = conclude(attempt.marker, attempt.change, seen)
    if not_applied is not None:
        outcome, why = _not_applied(not_applied)
    else:
        outcome, why = _told(conclusion, attempt, seen)
    async with desk.database.transaction() as connection:
        if not await attempts.record_outcome(connection, run, desk.owner, attempt, outcome, why):
            return Hold("another worker owns this run now", seconds=0)
        if outcome == "applied":
            notice = of_effect(run, attempt.change, attempt.marker, desk.kit.clock.now())
            await outbox.enqueue(connection, desk.channels, notice, run.id)
    desk.metrics.actions.labels(attempt.action, outcome).inc()
    return after(outcome, why)


async def unreadable(desk: Desk, run: Run, attempt: Attempt, why: str) -> Verdict:
    """The object cannot be read: keep asking, and in the end admit that nobody knows."""
    waited = desk.kit.clock.now() - attempt.intended_at
    if waited < _GIVE_UP_READING_AFTER:
        return Hold(f"whether the change took effect cannot be read: {why}", seconds=_AGAIN_SECONDS)
    async with desk.database.transaction() as connection:
        await attempts.record_outcome(connection, run, desk.owner, attempt, "unknown", why)
    desk.metrics.actions.labels(attempt.action, "unknown").inc()
    return End(
        f"whether the change took effect could not be read for {waited.total_seconds():.0f} s: {why}",
        state=State.UNKNOWN,
    )


def after(outcome: Outcome, why: str) -> Verdict | None:
    """Go on after an effect (or when somebody else made the same change); anything else is people's."""
    match outcome:
        case "applied" | "converged":
            return None
        case "unknown":
            return End(why, state=State.UNKNOWN)
        case _:
            return End(f"{outcome.replace('_', ' ')}: {why}", state=State.ESCALATED)


def _not_applied(why: str) -> tuple[Outcome, str]:
    return "not_applied", why


def _told(conclusion: Conclusion, attempt: Attempt, seen: Seen | None) -> tuple[Outcome, str]:
    manager = (seen.last_manager if seen else None) or "somebody"
    match conclusion:
        case Conclusion.APPLIED:
            return "applied", f"the object carries our marker {attempt.marker}"
        case Conclusion.CONVERGED:
            return "converged", f"{manager} made the same change"
        case Conclusion.APPLIED_THEN_CHANGED:
            return "applied_then_changed", f"it was applied, and then {manager} changed the template"
        case Conclusion.SUPERSEDED:
            return "superseded", f"{manager} changed the template to something else"
        case Conclusion.TARGET_REPLACED:
            return "target_replaced", "the object was deleted, or made anew under the same name"
        case Conclusion.NOT_YET:
            return "not_applied", "the object does not show it"
        case never:
            assert_never(never)
