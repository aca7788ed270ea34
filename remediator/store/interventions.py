"""What people do to runs: cancel one, settle one whose outcome is not known, give one up in order to undo it.

Each moves a run only from where it may be moved, under a new epoch, so that a worker that holds it at that moment
finds it gone and walks away.
"""

from typing import Literal

from asyncpg import Record

from remediator.domain.run_view import TriggerPerson
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.run import ACTIVE, State
from remediator.store import approvals, attempts, journal
from remediator.store.database import Connection

_ACTIVE = sorted(ACTIVE)


class NotMoved(Value):
    """The run stays as it is."""

    state: State | None
    """None when there is no such run."""
    changing: bool = False
    """It is active, and has begun to change something in the rung it is at."""


async def cancel(connection: Connection, run_id: int, who: str, why: str) -> NotMoved | State:
    """End a run that has sent no change in its current rung; the state it ended in. Within a transaction.

    What an earlier rung did is not hidden behind CANCELLED, by which breakers and people would take it for nothing:
    such a run ends ESCALATED.

    Intents, sendings and this lock the same row, so that one comes wholly before the other, and what is read afterwards
    is read with a look of its own.
    """
    await connection.execute("select 1 from intent_gate for update")
    row = await connection.fetchrow(
        """select state, incident_id,
                  exists (select 1 from attempts a where a.run_id = r.id and a.rung = r.rung
                            and (a.outcome is not null or a.sends > 0)) as changing,
                  exists (select 1 from attempts a where a.run_id = r.id and a.rung < r.rung
                            and a.outcome is distinct from 'not_applied') as changed
           from runs r where id = $1 for no key update""",
        run_id,
    )
    if row is None or row["state"] not in _ACTIVE:
        return _not_moved(row)
    if row["changing"]:
        return NotMoved(state=State(row["state"]), changing=True)
    state = State.ESCALATED if row["changed"] else State.CANCELLED
    await _end(connection, run_id, row, state, f"{who} cancelled it: {why}", who)
    return state


async def settle(connection: Connection, run_id: int, applied: bool, who: str, why: str) -> NotMoved | None:
    """A person says whether the change of an UNKNOWN run was made; None when that is recorded. In a transaction.

    It was never verified, so the run ends ESCALATED: the target is free once it has settled. A change that was not
    made takes no slot of any budget from now on; one that was does for one window more.
    """
    await connection.execute("select 1 from intent_gate for update")
    row = await connection.fetchrow(
        "select state, incident_id from runs where id = $1 for no key update", run_id
    )
    if row is None or row["state"] != State.UNKNOWN:
        return _not_moved(row)
    outcome = "applied" if applied else "not_applied"
    said = f"{who} says that it was {'made' if applied else 'not made'}: {why}"
    tried = await connection.fetch(
        """update attempts set outcome = $2, outcome_why = $3, outcome_at = remediator_now()
           where run_id = $1 and (outcome is null or outcome = 'unknown')
           returning concat_ws('/', run_id, rung, action_index) as marker, change->>'summary' as summary""",
        run_id,
        outcome,
        said,
    )
    kind: Literal["effect", "outcome"] = "effect" if applied else "outcome"
    for each in tried:
        details = {"outcome": outcome, "attempt": each["marker"], "who": who}
        text = f"{each['summary']}: {said}"
        await journal.append(connection, kind, text, details, incident_id=row["incident_id"], run_id=run_id)
    await _end(connection, run_id, row, State.ESCALATED, f"settled: {said}", who)
    return None


async def give_up_verifying(connection: Connection, by: TriggerPerson) -> bool:
    """End a run that only looks whether it helped, because a person undoes it; False when it is elsewhere.

    In ACTED nothing is sent any more, so that nothing can arrive late. Within the transaction that makes the undoing.
    """
    run_id = by.undo_of
    row = await connection.fetchrow(
        """select id, state, incident_id from runs r
           where id = $1 and state = 'ACTED'
             and not exists (select 1 from attempts a where a.run_id = r.id and a.outcome is null)
           for no key update""",
        run_id,
    )
    if row is None:
        return False
    await _end(connection, row["id"], row, State.ESCALATED, f"{by.who} undoes it: {by.why}", by.who)
    return True


async def undone_by(connection: Connection, run_id: int) -> int | None:
    """The run that took this one's changes back, and was not itself undone."""
    found: int | None = await connection.fetchval("select undone_by($1)", run_id)
    return found


async def _end(connection: Connection, run_id: int, row: Record, state: State, why: str, who: str) -> None:
    await connection.execute(
        """update runs set state = $2, why = $3, hold_why = null, ended_at = remediator_now(),
                           epoch = nextval('epochs'), lease_owner = null, lease_until = null
           where id = $1""",
        run_id,
        state,
        redact(why),
    )
    await approvals.close(connection, run_id, why)
    await attempts.never_sent(connection, run_id, why)
    await journal.append(
        connection,
        "state",
        f"{state}: {why}",
        {"from": row["state"], "to": state, "who": who},
        incident_id=row["incident_id"],
        run_id=run_id,
    )


def _not_moved(row: Record | None) -> NotMoved:
    if row is None:
        return NotMoved(state=None)
    return NotMoved(state=State(row["state"]))
