"""Attempts: the intent committed before a change is sent, and what became of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from remediator.domain.answers import GuardVerdict, Limit, Refusal
from remediator.domain.change import Change
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.run import Run
from remediator.store import approvals, counts, journal
from remediator.store.approvals import Approved
from remediator.store.database import Connection

Outcome = Literal[
    "applied", "converged", "not_applied", "superseded", "applied_then_changed", "target_replaced", "unknown"
]

UNDONE = "undone"
"""The kind of journal line that says that an effect is not there any more."""

_FIELDS = """id, run_id, rung, action_index, action, change, epoch, sends, intended_at, sent_at,
             outcome, outcome_why, outcome_at"""


class Attempt(Value):
    """One durable record of trying a change."""

    id: int
    run_id: int
    rung: int
    action_index: int
    action: str
    change: Change
    epoch: int
    sends: int
    intended_at: datetime
    sent_at: datetime | None
    """When it was last decided to send it; None when it never was."""
    outcome: Outcome | None
    outcome_why: str | None
    outcome_at: datetime | None

    @property
    def changed_nothing(self) -> bool:
        """Whether it is certain that it had no effect: it was refused, or has not been sent."""
        return self.outcome == "not_applied" or (self.outcome is None and self.sends == 0)

    @property
    def marker(self) -> str:
        """What the annotation on the object says when the effect is ours."""
        return marker(self.run_id, self.rung, self.action_index)


def marker(run_id: int, rung: int, action_index: int) -> str:
    """The identity of an attempt, as written on the object it changed."""
    return f"{run_id}/{rung}/{action_index}"


class LeaseLost(Value):
    """The run is no longer ours; nothing was written."""

    why: str = "another worker owns this run now"


async def of_rung(connection: Connection, run: Run) -> dict[int, Attempt]:
    """The attempts of the run's current rung by action index."""
    rows = await connection.fetch(
        f"select {_FIELDS} from attempts where run_id = $1 and rung = $2",
        run.id,
        run.rung,
    )
    return {row["action_index"]: Attempt(**row) for row in rows}


async def of_run(connection: Connection, run_id: int) -> list[Attempt]:
    """Every attempt of a run, oldest first."""
    rows = await connection.fetch(
        f"select {_FIELDS} from attempts where run_id = $1 order by id",
        run_id,
    )
    return [Attempt(**row) for row in rows]


async def effects_of(connection: Connection, run_id: int) -> list[Change]:
    """The changes of a run that took effect, oldest first."""
    return [each.change for each in await of_run(connection, run_id) if each.outcome == "applied"]


async def settling(connection: Connection, seconds: float) -> list[Attempt]:
    """What the last rung of runs changed that ended verified less than `seconds` ago, until it is seen undone.

    A restart leaves the version as it is: the next release undoes nothing. What a person asked us to undo is
    theirs to know.
    """
    rows = await connection.fetch(
        f"""select {_FIELDS} from attempts a
            where outcome = 'applied' and from_revision <> to_revision
              and exists (select 1 from runs r where r.id = a.run_id and r.rung = a.rung and r.state = 'RESOLVED'
                            and r.ended_at > remediator_now() - make_interval(secs => $1))
              and undone_by(a.run_id) is null
              and not exists (select 1 from runs u where (u.trigger->>'undo_of')::bigint = a.run_id
                                and u.mode <> 'shadow' and u.ended_at is null)
              and not exists (select 1 from journal j where j.run_id = a.run_id and j.kind = $2
                                and j.details->>'attempt' = concat_ws('/', a.run_id, a.rung, a.action_index))
            order by id""",
        seconds,
        UNDONE,
    )
    return [Attempt(**row) for row in rows]


async def commit_intent(
    connection: Connection,
    run: Run,
    owner: str,
    action_index: int,
    change: Change,
    limits: Iterable[Limit],
    approved: Approved | None,
) -> Attempt | LeaseLost | Refusal | tuple[GuardVerdict, ...]:
    """Write the intent if the run is still ours, every count holds and the approval it needs can be used.

    Call within a transaction.

    The gate's row serialises all intents and pauses; the clock is read after it is locked.
    """
    await connection.execute("select 1 from intent_gate for update")
    if not await _still_ours(connection, run, owner):
        return LeaseLost()
    verdicts = [await counts.count(connection, limit, run, change) for limit in limits]
    if not all(each.allows for each in verdicts):
        return tuple(verdicts)
    if approved is not None and (refused := await approvals.use(connection, run.id, approved)) is not None:
        return refused
    attempt = await _insert(connection, run, action_index, change)
    details = {
        "from": change.from_title,
        "to": change.to_title,
        "attempt": attempt.marker,
        "epoch": run.epoch,
    }
    await journal.append(
        connection, "intent", change.summary, details, incident_id=run.incident_id, run_id=run.id
    )
    return attempt


async def _insert(connection: Connection, run: Run, action_index: int, change: Change) -> Attempt:
    row = await connection.fetchrow(
        f"""insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name,
                                  from_revision, to_revision, change, epoch)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning {_FIELDS}""",
        run.id,
        run.rung,
        action_index,
        change.action,
        run.rule.rule,
        change.target.cluster,
        change.target.kind,
        change.target.namespace,
        change.target.name,
        change.from_revision,
        change.to_revision,
        change.to_json(),
        run.epoch,
    )
    assert row is not None, "an insert that returns nothing has raised"
    return Attempt(**row)


async def sending(
    connection: Connection, run: Run, owner: str, attempt: Attempt, limits: Iterable[Limit]
) -> LeaseLost | tuple[GuardVerdict, ...]:
    """Note that the change is about to be sent under this epoch, unless a verdict on these limits refuses.

    It takes the intents' gate: a pause that has committed is seen here, and one that commits after this finds a
    write that begins at once or not at all. Call within a transaction.
    """
    await connection.execute("select 1 from intent_gate for update")
    if not await _still_ours(connection, run, owner):
        return LeaseLost()
    verdicts = tuple([await counts.count(connection, limit, run, attempt.change) for limit in limits])
    if all(each.allows for each in verdicts):
        await connection.execute(
            "update attempts set sends = sends + 1, sent_at = remediator_now(), epoch = $2 where id = $1",
            attempt.id,
            run.epoch,
        )
    return verdicts


async def take_back(connection: Connection, run: Run, attempt: Attempt) -> None:
    """Take back what `sending` noted: this request never takes effect, neither now nor late."""
    await connection.execute(
        "update attempts set sends = sends - 1 where id = $1 and epoch = $2 and outcome is null and sends > 0",
        attempt.id,
        run.epoch,
    )


async def never_sent(connection: Connection, run_id: int, why: str) -> None:
    """Record of a run that ends that what it intended and never sent was not applied."""
    rows = await connection.fetch(
        f"""update attempts set outcome = 'not_applied', outcome_why = $2, outcome_at = remediator_now()
            where run_id = $1 and outcome is null and sends = 0 returning {_FIELDS}""",
        run_id,
        redact(f"it was never sent: {why}"),
    )
    for attempt in (Attempt(**row) for row in rows):
        text = f"{attempt.change.summary}: not applied ({attempt.outcome_why})"
        details = {"outcome": "not_applied", "attempt": attempt.marker}
        await journal.append(connection, "outcome", text, details, run_id=run_id)


async def record_outcome(
    connection: Connection, run: Run, owner: str, attempt: Attempt, outcome: Outcome, why: str
) -> bool:
    """What became of it, with its journal line; False when the run is no longer ours."""
    if not await _still_ours(connection, run, owner):
        return False
    await connection.execute(
        """update attempts set outcome = $2, outcome_why = $3, outcome_at = remediator_now()
           where id = $1 and outcome is null""",
        attempt.id,
        outcome,
        redact(why),
    )
    await journal.append(
        connection,
        "effect" if outcome == "applied" else "outcome",
        f"{attempt.change.summary}: {outcome.replace('_', ' ')} ({why})",
        {"outcome": outcome, "attempt": attempt.marker},
        incident_id=run.incident_id,
        run_id=run.id,
    )
    return True


async def _still_ours(connection: Connection, run: Run, owner: str) -> bool:
    found = await connection.fetchval(
        """select 1 from runs where id = $1 and state = $2 and epoch = $3 and lease_owner = $4
                                and lease_until > remediator_now() for no key update""",
        run.id,
        run.state,
        run.epoch,
        owner,
    )
    return found is not None
