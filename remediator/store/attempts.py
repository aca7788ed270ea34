"""Attempts: the intent committed before a change is sent, and what became of it.

The counting guards are enforced here, in the intent's own transaction, and asked read-only by the
same function before that.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.value import Value
from remediator.run import Run
from remediator.store import journal
from remediator.store.database import Connection

Outcome = Literal[
    "applied", "converged", "not_applied", "superseded", "applied_then_changed", "target_replaced", "unknown"
]

UNDONE = "undone"
"""The kind of journal line that says that an effect is not there any more."""

_FIELDS = """id, run_id, rung, action_index, action, change, epoch, sends, intended_at,
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
    outcome: Outcome | None
    outcome_why: str | None
    outcome_at: datetime | None

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


async def settling(connection: Connection, seconds: float) -> list[Attempt]:
    """What the last rung of runs changed that ended verified less than `seconds` ago, until it is seen undone.

    A restart leaves the version as it is: the next release undoes nothing.
    """
    rows = await connection.fetch(
        f"""select {_FIELDS} from attempts a
            where outcome = 'applied' and from_revision <> to_revision
              and exists (select 1 from runs r where r.id = a.run_id and r.rung = a.rung and r.state = 'RESOLVED'
                            and r.ended_at > remediator_now() - make_interval(secs => $1))
              and not exists (select 1 from journal j where j.run_id = a.run_id and j.kind = $2
                                and j.details->>'attempt' = concat_ws('/', a.run_id, a.rung, a.action_index))
            order by id""",
        seconds,
        UNDONE,
    )
    return [Attempt(**row) for row in rows]


async def commit_intent(
    connection: Connection, run: Run, owner: str, action_index: int, change: Change, limits: Iterable[Limit]
) -> Attempt | LeaseLost | tuple[GuardVerdict, ...]:
    """Write the intent if the run is still ours and every count holds; call within a transaction.

    The gate's row serialises all intents and pauses; the clock is read after it is locked.
    """
    await connection.execute("select 1 from intent_gate for update")
    if not await _still_ours(connection, run, owner):
        return LeaseLost()
    verdicts = [await count(connection, limit, run.view, change) for limit in limits]
    if not all(each.allows for each in verdicts):
        return tuple(verdicts)
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
    attempt = Attempt(**row)  # type: ignore[arg-type]
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


async def sending(connection: Connection, run: Run, owner: str, attempt: Attempt) -> bool:
    """Note that the change is about to be sent under this epoch; False when the run is no longer ours."""
    if not await _still_ours(connection, run, owner):
        return False
    await connection.execute(
        "update attempts set sends = sends + 1, epoch = $2 where id = $1", attempt.id, run.epoch
    )
    return True


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
        why,
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
                                and lease_until > remediator_now() for update""",
        run.id,
        run.state,
        run.epoch,
        owner,
    )
    return found is not None


async def count(connection: Connection, limit: Limit, run: RunView, change: Change | None) -> GuardVerdict:
    """Hold one limit against what the database holds; without a change, pairs and returns count nothing."""
    existing = await _existing(connection, limit, run, change)
    return GuardVerdict(
        guard=limit.guard,
        answer=GuardAnswer.ALLOW if existing < limit.fewer_than else GuardAnswer.REFUSE,
        why=_room(limit, existing) if existing < limit.fewer_than else limit.why,
        passing=limit.passing,
        inputs={
            "count": existing,
            "of": limit.of,
            "fewer_than": limit.fewer_than,
            "per_seconds": limit.per_seconds,
        },
    )


def _room(limit: Limit, existing: int) -> str:
    if limit.count == "pauses":
        return "no pause covers this target"
    scope = {"pair": "of this very change", "return": "away from where it would go"}.get(
        limit.of, f"of this {limit.of}"
    )
    return (
        f"{existing} {limit.count} {scope} in {limit.per_seconds / 3600:g} h, fewer than {limit.fewer_than}"
    )


async def _existing(connection: Connection, limit: Limit, run: RunView, change: Change | None) -> int:
    if limit.count == "pauses":
        return await pauses_covering(connection, run)
    if limit.count == "runs":
        return await _runs(connection, limit, run)
    return await _effects(connection, limit, run, change)


async def _effects(connection: Connection, limit: Limit, run: RunView, change: Change | None) -> int:
    """Attempts that made, or may have made, an effect; a slot is taken until a window after the outcome.

    The changes of one rung are one act: a stuck StatefulSet needs two, and half a cure is none. A restart
    leaves no version.
    """
    target = run.target
    return int(
        await connection.fetchval(
            """select count(*) from attempts
               where (outcome is null or outcome in ('applied', 'applied_then_changed', 'unknown'))
                 and (outcome_at is null or outcome_at > remediator_now() - make_interval(secs => $1))
                 and not (run_id = $10 and ($11 or outcome is null or rung = $12))
                 and case $2
                     when 'everything' then true
                     when 'namespace' then cluster = $3 and namespace = $5
                     when 'rule' then rule = $7
                     else cluster = $3 and kind = $4 and namespace = $5 and name = $6 end
                 and case $2
                     when 'pair' then from_revision = $8 and to_revision = $9
                     when 'return' then from_revision = $9 and to_revision <> from_revision
                     else true end""",
            limit.per_seconds,
            limit.of,
            target.cluster,
            target.kind,
            target.namespace,
            target.name,
            run.rule,
            change.from_revision if change is not None else None,
            change.to_revision if change is not None else None,
            run.run_id,
            limit.other_runs_only,
            run.rung,
        )
    )


async def _runs(connection: Connection, limit: Limit, run: RunView) -> int:
    target = run.target
    return int(
        await connection.fetchval(
            """select count(*) from runs
               where mode <> 'shadow' and created_at > remediator_now() - make_interval(secs => $1)
                 and case $2
                     when 'everything' then true
                     when 'namespace' then cluster = $3 and namespace = $5
                     when 'rule' then rule = $7
                     else cluster = $3 and kind = $4 and namespace = $5 and name = $6 end""",
            limit.per_seconds,
            limit.of,
            target.cluster,
            target.kind,
            target.namespace,
            target.name,
            run.rule,
        )
    )


async def pauses_covering(connection: Connection, run: RunView) -> int:
    """How many pauses in force cover this run."""
    return int(
        await connection.fetchval(
            """select count(*) from pauses
               where cleared_at is null and (until is null or until > remediator_now())
                 and case scope when 'everything' then true when 'namespace' then value = $1
                                when 'rule' then value = $2 else value = $3 end""",
            run.target.namespace,
            run.rule,
            str(run.target),
        )
    )
