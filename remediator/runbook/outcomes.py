"""What an attempt's outcome means for its run."""

from dataclasses import replace
from datetime import timedelta

from remediator.domain.change import Eviction, Scaling
from remediator.effects.recovery import Conclusion, Seen, SeenPod, conclude
from remediator.fault_points import FaultPoint, reach_once_sent
from remediator.run import End, Hold, Run, State, Streak, Verdict
from remediator.runbook.desk import Desk
from remediator.runbook.notices import of_effect
from remediator.store import attempts, outbox
from remediator.store.attempts import Attempt, Outcome

_GIVE_UP_READING_AFTER = timedelta(minutes=10)
_AGAIN_SECONDS = 5.0
_UNREADABLE = "unreadable"
"""Names, in a run's progress, since when the object cannot be read."""

_OUTCOMES: dict[Conclusion, Outcome] = {
    Conclusion.APPLIED: "applied",
    Conclusion.CONVERGED: "converged",
    Conclusion.APPLIED_THEN_CHANGED: "applied_then_changed",
    Conclusion.SUPERSEDED: "superseded",
    Conclusion.TARGET_REPLACED: "target_replaced",
    Conclusion.NOT_YET: "not_applied",
}
_PATCH_SAID = {
    Conclusion.APPLIED: "the object carries our marker {marker}",
    Conclusion.CONVERGED: "{manager} made the same change",
    Conclusion.APPLIED_THEN_CHANGED: "it was applied, and then {manager} changed the template",
    Conclusion.SUPERSEDED: "{manager} changed the template to something else",
    Conclusion.TARGET_REPLACED: "the object was deleted, or made anew under the same name",
    Conclusion.NOT_YET: "the object does not show it",
}
_SCALING_SAID = _PATCH_SAID | {
    Conclusion.APPLIED_THEN_CHANGED: "it was applied, and then {manager} set another number of replicas",
    Conclusion.SUPERSEDED: "{manager} changed its replicas or its template meanwhile",
}
_EVICTION_SAID = dict.fromkeys(Conclusion, "pod {pod} was changed by somebody else") | {
    Conclusion.APPLIED: "pod {pod} is gone or going",
    Conclusion.CONVERGED: "pod {pod} became ready or went away without us",
    Conclusion.NOT_YET: "pod {pod} is still there",
}


async def recorded(
    desk: Desk, run: Run, attempt: Attempt, seen: Seen | SeenPod | None, *, not_applied: str | None = None
) -> Verdict | None:
    """Record what the object says became of the attempt; None when the run may go on."""
    conclusion = conclude(attempt.marker, attempt.change, seen, attempt.sends)
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
        reach_once_sent(FaultPoint.J30)
    desk.metrics.actions.labels(attempt.action, outcome).inc()
    return after(outcome, why)


async def unreadable(desk: Desk, run: Run, attempt: Attempt, why: str) -> Verdict:
    """The object cannot be read: keep asking, and in the end admit that nobody knows."""
    now = desk.kit.clock.now()
    before = run.progress.get(_UNREADABLE)
    streak = Streak(answer=_UNREADABLE, since=before.since if before is not None else now, why=why)
    waited = now - streak.since
    if waited < _GIVE_UP_READING_AFTER:
        return Hold(
            f"whether the change took effect cannot be read: {why}",
            progress={_UNREADABLE: streak},
            seconds=_AGAIN_SECONDS,
        )
    async with desk.database.transaction() as connection:
        await attempts.record_outcome(connection, run, desk.owner, attempt, "unknown", why)
    desk.metrics.actions.labels(attempt.action, "unknown").inc()
    return End(
        f"whether the change took effect could not be read for {waited.total_seconds():.0f} s: {why}",
        state=State.UNKNOWN,
    )


def readable_again(run: Run, verdict: Verdict | None) -> Verdict | None:
    """The verdict, with the time of not being able to read forgotten unless it goes on."""
    if verdict is None or verdict.progress is not None or _UNREADABLE not in run.progress:
        return verdict
    return replace(verdict, progress={})


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


def _told(conclusion: Conclusion, attempt: Attempt, seen: Seen | SeenPod | None) -> tuple[Outcome, str]:
    if isinstance(attempt.change, Eviction):
        return _OUTCOMES[conclusion], _EVICTION_SAID[conclusion].format(pod=attempt.change.pod)
    manager = seen.who_changed(attempt.change) if isinstance(seen, Seen) else "somebody"
    said = _SCALING_SAID if isinstance(attempt.change, Scaling) else _PATCH_SAID
    return _OUTCOMES[conclusion], said[conclusion].format(manager=manager, marker=attempt.marker)
