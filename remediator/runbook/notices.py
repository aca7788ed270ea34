"""What people are told: one notice for each effect, and one for each ending that matters."""

from collections.abc import Sequence
from datetime import datetime

from remediator.domain.change import Change, Eviction
from remediator.domain.handover import Handover, script
from remediator.domain.notice import Notice
from remediator.domain.run_view import TriggerPerson
from remediator.run import Asks, Plan, Run, State
from remediator.store.run_rows import UnreadableRun

_MOST_OF_PROCEDURES = 12_000
"""Characters; Slack shows no more than 40,000 of a message, and folds most of that."""
_NEXT = {
    State.RESOLVED: "Nothing to do now; read the timeline when you have time.",
    State.BLOCKED: "Nothing was changed. Somebody has to look: the refusal above says what would have to change.",
    State.ESCALATED: "Somebody has to take over: what was seen and tried is in the timeline.",
    State.UNKNOWN: "Whether the change took effect is not known; the target stays locked until a person settles it.",
    State.DECLINED: "This change was not made; somebody has to look at the alert.",
}


def of_request(run: Run, plan: Plan, asks: Asks, approvers: str, at: datetime) -> Notice:
    """People have to agree before the plan is carried out."""
    changes = " ".join(f"{each.summary}: {each.from_title} -> {each.to_title}." for each in plan.changes)
    who = f"one of {approvers}" if asks.needed.people == 1 else f"{asks.needed.people} of {approvers}"
    who += ", not the one who asked for it" if asks.needed.not_the_requester else ""
    text = (
        f"{_fired(run)} Waits for a yes until {asks.expires_at:%H:%M:%S} UTC to do this: {changes}"
        f" To agree: remediator runs approve {run.id} {asks.digest}"
        f" To refuse: remediator runs decline {run.id} --why TEXT."
        f" Asked because: {'; '.join(asks.needed.why)}. Who may: {who}."
    )
    key = f"approval/{run.id}/{asks.digest}/{asks.expires_at.isoformat()}"
    return _notice(run, key, "APPROVE?", " ".join((text, *plan.caveats)), State.CLEARED, at)


def of_effect(run: Run, change: Change, marker: str, at: datetime) -> Notice:
    """A change was made."""
    undo = "Nothing to undo: the pod is made anew."
    if not isinstance(change, Eviction):
        undo = f"Undo: remediator runs undo {run.id} ({change.to_title} -> {change.from_title})."
    known = run.plan.caveats if run.plan is not None else ()
    text = " ".join((f"{_fired(run)} {change.summary}.", *known, undo))
    return _notice(run, f"effect/{marker}", "CHANGED", text, State.ACTED, at)


def of_undoing(run: Run, marker: str, why: str, at: datetime) -> Notice:
    """What was changed, and verified, is not there any more."""
    text = f"{why}. {_NEXT[State.ESCALATED]} {_see(run)}"
    return _notice(run, f"undone/{marker}", "UNDONE", text, State.ESCALATED, at)


def of_ending(
    run: Run, state: State, why: str, tried: str, handovers: Sequence[Handover], at: datetime
) -> Notice | None:
    """The run is over; None where nobody needs to know (shadow, or cleared by itself).

    Whoever takes over is told first what was `tried`, and last the procedures that are ready for them.
    """
    following = _NEXT.get(state)
    if following is None or run.mode == "shadow":
        return None
    said = tried if state is State.ESCALATED and tried else f"{why}."
    text = f"{_fired(run)} {said} {following} {_see(run)}{_ready(run, handovers)}"
    return _notice(run, f"ending/{run.id}", state, text, state, at)


def _ready(run: Run, handovers: Sequence[Handover]) -> str:
    """The procedures, whole as long as they are short enough to be read where notices arrive."""
    if not handovers:
        return ""
    names = " and ".join(each.procedure for each in handovers)
    head = f"\n\nReady for people: {names}. Printed by: remediator runs handover {run.id}"
    scripts = "".join(f"\n\n{script(each)}" for each in handovers)
    return head + (scripts.rstrip() if len(scripts) <= _MOST_OF_PROCEDURES else "")


def of_unreadable(run: UnreadableRun, state: State, at: datetime) -> Notice:
    """What is stored of a run cannot be read any more: people take over."""
    return Notice(
        key=f"ending/{run.id}",
        at=at,
        title=f"[{state}] {run.rule} on {run.target}",
        text=f"{run.why}. {_NEXT[state]} See: remediator incidents show {run.incident_id}",
        incident_id=run.incident_id,
        run_id=run.id,
        target=str(run.target),
        state=state,
    )


def _notice(run: Run, key: str, word: str, text: str, state: State, at: datetime) -> Notice:
    return Notice(
        key=key,
        at=at,
        title=f"[{word}] {run.rule.rule} on {run.target}",
        text=text,
        incident_id=run.incident_id,
        run_id=run.id,
        target=str(run.target),
        state=state,
    )


def _see(run: Run) -> str:
    return f"See: remediator incidents show {run.incident_id}"


def _fired(run: Run) -> str:
    """What made the run."""
    trigger = run.trigger
    if isinstance(trigger, TriggerPerson):
        return f"{trigger.who} asked for this at {trigger.at:%H:%M:%S} UTC: {trigger.why}."
    return f"{trigger.name or 'An alert'} fired at {trigger.starts_at:%H:%M:%S} UTC."
