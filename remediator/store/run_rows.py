"""A run as its row holds it. One that cannot be read any more is left to people, and holds up no other."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from remediator.domain.run_view import Trigger
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.errors import Permanent
from remediator.redaction.text import redact
from remediator.rulebook.rule import LoadedRule
from remediator.run import Plan, Run, State, Streak
from remediator.store import approvals, journal
from remediator.store.database import Connection

_TRIGGER: TypeAdapter[Trigger] = TypeAdapter(Trigger)
_ODD = (ValueError, TypeError, AttributeError, KeyError)
"""What reading a row raises that another version wrote, or a hand."""


class UnreadableRun(Value):
    """A run of which only this is known."""

    id: int
    incident_id: int
    rule: str
    mode: str
    target: Target
    state: str
    epoch: int
    why: str
    """What cannot be read, as a sentence."""


def run_or_why_not(row: Any) -> Run | UnreadableRun:
    """The run in this row, whole; or what is left of it."""
    try:
        return _run(row)
    except _ODD as reason:
        return UnreadableRun(
            id=row["id"],
            incident_id=row["incident_id"],
            rule=row["rule"],
            mode=row["mode"],
            target=_target(row),
            state=row["state"],
            epoch=row["epoch"],
            why=f"what is stored of run {row['id']} cannot be read by this version: {_said(reason)}",
        )


def run_of(row: Any) -> Run:
    """The run in this row. Raises Permanent when it cannot be read."""
    found = run_or_why_not(row)
    if isinstance(found, UnreadableRun):
        raise Permanent(found.why)
    return found


async def leave_to_people(connection: Connection, run: UnreadableRun, owner: str) -> State | None:
    """End it: UNKNOWN, which locks its target, where a change may have been sent, else ESCALATED.

    The state it ended in; None when it is no longer ours. Call within a transaction.
    """
    ours = await connection.fetchval(
        "select 1 from runs where id = $1 and epoch = $2 and lease_owner = $3 for no key update",
        run.id,
        run.epoch,
        owner,
    )
    if ours is None:
        return None
    await connection.execute(
        """update attempts set outcome = 'not_applied', outcome_why = $2, outcome_at = remediator_now()
           where run_id = $1 and outcome is null and sends = 0""",
        run.id,
        "it was never sent: its run cannot be read",
    )
    in_doubt = await connection.fetchval(
        "select exists (select 1 from attempts where run_id = $1 and outcome is null)", run.id
    )
    state = State.UNKNOWN if in_doubt else State.ESCALATED
    await connection.execute(
        """update runs set state = $2, why = $3, hold_why = null, ended_at = remediator_now(),
                           lease_owner = null, lease_until = null where id = $1""",
        run.id,
        state,
        redact(run.why),
    )
    await approvals.close(connection, run.id, f"the run ended {state}")
    details = {"from": run.state, "to": state}
    text = f"{state}: {run.why}"
    await journal.append(connection, "state", text, details, incident_id=run.incident_id, run_id=run.id)
    return state


def _run(row: Any) -> Run:
    return Run(
        id=row["id"],
        incident_id=row["incident_id"],
        rule=LoadedRule.model_validate(row["rule_text"]),
        mode=row["mode"],
        trigger=_TRIGGER.validate_python(row["trigger"]),
        target=_target(row),
        depends_on=tuple(row["depends_on"]),
        state=State(row["state"]),
        rung=row["rung"],
        plan=None if row["plan"] is None else Plan.model_validate(row["plan"]),
        progress={key: Streak.model_validate(each) for key, each in row["progress"].items()},
        epoch=row["epoch"],
        created_at=row["created_at"],
        rung_since=row["rung_since"],
        acted_at=row["acted_at"],
    )


def _target(row: Any) -> Target:
    return Target(cluster=row["cluster"], kind=row["kind"], namespace=row["namespace"], name=row["name"])


def _said(reason: Exception) -> str:
    """The first thing that is wrong, with its place."""
    if not isinstance(reason, ValidationError):
        return f"{type(reason).__name__}: {reason}"
    first = reason.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or reason.title}: {first['msg']}"
