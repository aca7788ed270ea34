"""Runs: made once, taken under a lease, moved by guarded transitions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from remediator.domain.run_view import Mode, Trigger
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.rulebook.rule import Rule
from remediator.run import ACTIVE, End, Hold, Run, State, TryNext, Verdict
from remediator.store import approvals, attempts, episodes, journal, outbox
from remediator.store.database import Connection
from remediator.store.run_rows import UnreadableRun, run_of, run_or_why_not

_ACTIVE = sorted(ACTIVE)


class RunSummary(Value):
    """A run as lists show it."""

    id: int
    incident_id: int
    rule: str
    mode: str
    target: str
    state: str
    why: str | None
    created_at: datetime
    ended_at: datetime | None
    asked_by: str | None
    """The person who asked for it; None when an alert made it."""
    undo_of: int | None
    """The run it undoes."""


_SUMMARY = """id, incident_id, rule, mode, kind || '/' || namespace || '/' || name as target, state, why, created_at,
              ended_at, trigger->>'who' as asked_by, (trigger->>'undo_of')::bigint as undo_of"""


async def create(
    connection: Connection,
    *,
    incident_id: int,
    rule: Rule,
    mode: Mode,
    target: Target,
    trigger: Trigger,
    depends_on: Sequence[str],
) -> int:
    """A new run in PLANNED. Raises UniqueViolationError when another one holds the target."""
    run_id: int = await connection.fetchval(
        """insert into runs (incident_id, rule, rule_digest, rule_text, mode, trigger,
                             cluster, kind, namespace, name, depends_on, state)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'PLANNED') returning id""",
        incident_id,
        rule.rule,
        rule.digest,
        rule.model_dump(mode="json"),
        mode,
        trigger.to_json(),
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        list(depends_on),
    )
    return run_id


async def take_due(connection: Connection, owner: str, lease_seconds: float) -> Run | UnreadableRun | None:
    """Lease one run whose time has come, under a new and higher epoch; None when there is none."""
    row = await connection.fetchrow(
        """update runs set lease_owner = $1, epoch = nextval('epochs'),
                           lease_until = remediator_now() + make_interval(secs => $2)
           where id = (select id from runs
                       where state = any($3) and due_at <= remediator_now()
                         and (lease_until is null or lease_until < remediator_now())
                       order by due_at, id for update skip locked limit 1)
           returning *""",
        owner,
        lease_seconds,
        _ACTIVE,
    )
    return None if row is None else run_or_why_not(row)


async def renew(connection: Connection, run: Run, owner: str, lease_seconds: float) -> bool:
    """Keep the lease for longer; False when it is no longer ours."""
    renewed = await connection.fetchval(
        """update runs set lease_until = remediator_now() + make_interval(secs => $4)
           where id = $1 and epoch = $2 and lease_owner = $3 and lease_until > remediator_now()
           returning id""",
        run.id,
        run.epoch,
        owner,
        lease_seconds,
    )
    return renewed is not None


async def put_back(connection: Connection, run: Run, owner: str, seconds: float) -> None:
    """Give up the lease without having decided anything; the run is due again after `seconds`."""
    await connection.execute(
        """update runs set lease_owner = null, lease_until = null,
                           due_at = remediator_now() + make_interval(secs => $4)
           where id = $1 and epoch = $2 and lease_owner = $3""",
        run.id,
        run.epoch,
        owner,
        seconds,
    )


async def transition(
    connection: Connection,
    run: Run,
    owner: str,
    verdict: Verdict,
    state: State,
    channels: Iterable[str],
) -> bool:
    """Store a stage's verdict: state, journal and notices together.

    Call within a transaction. False when the run is no longer ours: nothing was stored then, and
    the caller must walk away.
    """
    before = await connection.fetchrow(
        """select hold_why from runs
           where id = $1 and state = $2 and epoch = $3 and lease_owner = $4 for no key update""",
        run.id,
        run.state,
        run.epoch,
        owner,
    )
    if before is None:
        return False
    await _store(connection, run, verdict, state)
    if verdict.asks is not None:
        await approvals.request(connection, run, verdict.asks)
    if state not in ACTIVE:
        await _ended(connection, run, verdict, state)
    if not (isinstance(verdict, Hold) and before["hold_why"] == redact(verdict.why)):
        await journal.append_entries(connection, run, verdict.entries)
        await journal.append(
            connection,
            "held" if isinstance(verdict, Hold) else "state",
            f"{state}: {verdict.why}" if state != run.state else verdict.why,
            _moved(run, verdict, state),
            incident_id=run.incident_id,
            run_id=run.id,
        )
    for notice in verdict.notices:
        await outbox.enqueue(connection, channels, notice, run.id)
    return True


def _moved(run: Run, verdict: Verdict, state: State) -> dict[str, Any]:
    """From where to where; and that a verification said that the change did not help, where one did."""
    said = {"helped": False} if isinstance(verdict, TryNext) else {}
    return {"from": run.state, "to": state, **said}


async def _ended(connection: Connection, run: Run, verdict: Verdict, state: State) -> None:
    await approvals.close(connection, run.id, f"the run ended {state}")
    await attempts.never_sent(connection, run.id, verdict.why)
    if isinstance(verdict, End) and verdict.plan_again:
        await episodes.plan_again(connection, run.id)


async def _store(connection: Connection, run: Run, verdict: Verdict, state: State) -> None:
    holds = isinstance(verdict, Hold)
    next_rung = isinstance(verdict, TryNext) and state is State.PLANNED
    progress = {} if next_rung else (verdict.progress if verdict.progress is not None else run.progress)
    await connection.execute(
        """update runs set
               state = $2, why = $3, hold_why = $4,
               due_at = remediator_now() + make_interval(secs => $5),
               plan = coalesce($6, plan), progress = $7, rung = rung + $8,
               rung_since = case when $8 > 0 then remediator_now() else rung_since end,
               acted_at = case when $9 then remediator_now() when $8 > 0 then null else acted_at end,
               ended_at = case when $10 then remediator_now() end, plan_again = $11,
               lease_owner = null, lease_until = null
           where id = $1""",
        run.id,
        state,
        redact(verdict.why),
        redact(verdict.why) if holds else None,
        verdict.seconds if isinstance(verdict, Hold) else 0.0,
        verdict.plan.to_json() if verdict.plan is not None else None,
        {key: {**streak.to_json(), "why": redact(streak.why)} for key, streak in progress.items()},
        1 if next_rung else 0,
        verdict.acted,
        isinstance(verdict, End) or state not in ACTIVE,
        isinstance(verdict, End) and verdict.plan_again,
    )


async def find(connection: Connection, run_id: int) -> Run | None:
    """One run, whole. Raises Permanent when it is there and cannot be read."""
    row = await connection.fetchrow("select * from runs where id = $1", run_id)
    return None if row is None else run_of(row)


class Standing(Value):
    """Where a run stands, for those who answer to it."""

    incident_id: int
    state: State
    rung: int

    @property
    def may_be_answered(self) -> bool:
        """Whether what people say can still make a difference."""
        return self.state in (State.CLEARED, State.APPROVED)


async def standing(connection: Connection, run_id: int) -> Standing | None:
    """Where a run stands; it cannot move on before the transaction ends."""
    row = await connection.fetchrow(
        "select incident_id, state, rung from runs where id = $1 for no key update", run_id
    )
    return None if row is None else Standing(**row)


class LastRun(Value):
    """What planning must know of the run that holds a target, or held it last."""

    id: int
    state: State
    ended_at: datetime | None
    plan_again: bool
    """Whether the alerts it was about are planned again once the target has settled."""

    @property
    def holds(self) -> bool:
        """Whether it still keeps the target: active, or UNKNOWN until a person settles it."""
        return self.ended_at is None or self.state is State.UNKNOWN


async def last_on(connection: Connection, target: Target, *, shadow_of: str | None = None) -> LastRun | None:
    """The newest run on a target: of those that may act, or of one rule's shadow runs."""
    row = await connection.fetchrow(
        """select id, state, ended_at, plan_again from runs
           where cluster = $1 and kind = $2 and namespace = $3 and name = $4
             and case when $5::text is null then mode <> 'shadow' else mode = 'shadow' and rule = $5 end
           order by id desc limit 1""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        shadow_of,
    )
    return None if row is None else LastRun(**row)


async def recent(connection: Connection, *, limit: int = 50, state: str | None = None) -> list[RunSummary]:
    """The newest runs first."""
    rows = await connection.fetch(
        f"""select {_SUMMARY}
           from runs where $2::text is null or state = $2 order by id desc limit $1""",
        limit,
        state,
    )
    return [RunSummary(**row) for row in rows]


async def of_incident(connection: Connection, incident_id: int) -> list[RunSummary]:
    """The runs of an incident, oldest first."""
    rows = await connection.fetch(
        f"""select {_SUMMARY}
           from runs where incident_id = $1 order by id""",
        incident_id,
    )
    return [RunSummary(**row) for row in rows]


async def longest_lock_seconds(connection: Connection) -> float:
    """How long a target has been held by one run, the longest of all; 0 when none is held."""
    age = await connection.fetchval(
        """select extract(epoch from remediator_now() - min(created_at)) from runs
           where mode <> 'shadow' and state in ('PLANNED', 'DIAGNOSED', 'PROPOSED', 'CLEARED', 'APPROVED', 'ACTED',
                                                'UNKNOWN')"""
    )
    return float(age or 0)


async def count_by_state(connection: Connection) -> dict[str, int]:
    """How many runs stand in each state."""
    rows = await connection.fetch("select state, count(*) as runs from runs group by state")
    return {row["state"]: row["runs"] for row in rows}
