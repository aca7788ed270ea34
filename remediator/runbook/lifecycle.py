"""The runbook: the one table that says which stage works in which state, and which state follows.

A stage never names its successor; reading this table top to bottom is reading the way of a run.
"""

from dataclasses import dataclass

from remediator.run import End, Hold, Run, State, TryNext, Verdict
from remediator.runbook.apply_actions import ApplyActions
from remediator.runbook.await_approval import AwaitApproval
from remediator.runbook.check_guards import CheckGuards
from remediator.runbook.collect_diagnostics import CollectDiagnostics
from remediator.runbook.desk import Stage
from remediator.runbook.propose import Propose
from remediator.runbook.verify_outcome import VerifyOutcome


@dataclass(frozen=True, slots=True)
class Line:
    """In `state`, `stage` works; when it answers Proceed, the run is in `then`."""

    state: State
    stage: type[Stage]
    then: State


RUNBOOK: tuple[Line, ...] = (
    Line(State.PLANNED, CollectDiagnostics, State.DIAGNOSED),
    Line(State.DIAGNOSED, Propose, State.PROPOSED),
    Line(State.PROPOSED, CheckGuards, State.CLEARED),
    Line(State.CLEARED, AwaitApproval, State.APPROVED),
    Line(State.APPROVED, ApplyActions, State.ACTED),
    Line(State.ACTED, VerifyOutcome, State.RESOLVED),
)


def state_after(run: Run, verdict: Verdict) -> State:
    """The state a verdict leads to."""
    match verdict:
        case Hold():
            return run.state
        case End(state=state):
            return state
        case TryNext():
            more = run.rung + 1 < len(run.ladder)
            return State.PLANNED if more else State.ESCALATED
        case _:
            return next(line.then for line in RUNBOOK if line.state is run.state)
