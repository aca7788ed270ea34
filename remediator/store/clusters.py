"""Which cluster the database belongs to, and what it takes to give it to another one."""

from remediator.domain.answers import Refusal
from remediator.domain.belonging import Binding
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.run import ACTIVE, State
from remediator.store import journal
from remediator.store.database import Connection

FIRST_START = "the first start"
ANOTHER_CLUSTER = "another cluster"
"""Why an episode is closed that is of the cluster this database belonged to before."""
_LOCK = "select pg_advisory_xact_lock(hashtextextended('cluster_bindings', 0))"
_NEWEST = "select uid, name, who, why, bound_at from cluster_bindings order by id desc limit 1"
_HELD = sorted({*ACTIVE, State.UNKNOWN})
_UNDELIVERED = "delivered_at is null and given_up_at is null"


async def bound(connection: Connection) -> Binding | None:
    """The cluster it belongs to; None before the first start."""
    row = await connection.fetchrow(_NEWEST)
    return None if row is None else Binding(**row)


async def bind_first(connection: Connection, uid: str, name: str) -> Binding:
    """Bind a database that belongs to none; the binding there is, else. Call within a transaction."""
    await connection.execute(_LOCK)
    there = await bound(connection)
    return (
        there if there is not None else await _bind(connection, uid, name, FIRST_START, "it belonged to none")
    )


class Holdings(Value):
    """What a database holds of the cluster it belongs to, which people have to know before they give it away."""

    runs: tuple[str, ...]
    """Those that are active or UNKNOWN, each in a sentence."""
    notices: int
    """Not delivered yet."""
    pauses: tuple[str, ...]
    episodes: int
    """Alerts that are open."""


async def holdings(connection: Connection) -> Holdings:
    """What is open."""
    runs = await connection.fetch(
        """select id, rule, state, mode, kind || '/' || namespace || '/' || name as target from runs
           where state = any($1) order by id""",
        _HELD,
    )
    pauses = await connection.fetch(
        """select name || ' of ' || scope || case value when '' then '' else ' ' || value end || ' by ' || who
                  as pause from pauses
           where cleared_at is null and (until is null or until > remediator_now()) order by id"""
    )
    return Holdings(
        runs=tuple(
            f"run {row['id']} ({row['rule']}, {row['mode']}) is {row['state']} and holds {row['target']}"
            for row in runs
        ),
        notices=await connection.fetchval(f"select count(*) from outbox where {_UNDELIVERED}"),
        pauses=tuple(row["pause"] for row in pauses),
        episodes=await connection.fetchval("select count(*) from episodes where closed_at is null"),
    )


async def adopt(
    connection: Connection, shown: Binding, uid: str, name: str, who: str, why: str
) -> Binding | Refusal:
    """Give the database to another cluster; call within a transaction with time enough.

    Refuses when it belongs no longer to the cluster that was `shown` to the person. What is open there ends with
    people and is never sent: that cluster's own daemon may still be at it. What was seen of its workloads no longer
    counts here. Pauses and rules stay as they are.
    """
    await connection.execute("select 1 from intent_gate for update")
    await connection.execute(_LOCK)
    before = await bound(connection)
    if before != shown:
        return Refusal(why="the database was given to a cluster meanwhile: look again")
    why = redact(why)
    await _end_runs(connection, f"{who} gave this database to another cluster: {why}")
    await connection.execute(
        f"update outbox set given_up_at = remediator_now(), last_error = $1 where {_UNDELIVERED}",
        "it is of the cluster this database belonged to before",
    )
    await _close_alerts(connection)
    for table in ("tenures", "pod_owners", "config_hashes", "replica_counts"):
        await connection.execute(
            f"update {table} set cluster = cluster || ' ' || $1 where cluster not like '% ' || $1",
            shown.uid,
        )
    made = await _bind(connection, uid, name, who, why)
    text = f"{who} gave this database to cluster {name} ({uid}): {why}"
    await journal.append(connection, "adopted", text, {"uid": uid, "name": name, "who": who, "why": why})
    return made


async def _bind(connection: Connection, uid: str, name: str, who: str, why: str) -> Binding:
    await connection.execute(
        "insert into cluster_bindings (uid, name, who, why) values ($1, $2, $3, $4)", uid, name, who, why
    )
    made = await bound(connection)
    assert made is not None  # it was just made, and the lock keeps others out
    return made


async def _end_runs(connection: Connection, why: str) -> None:
    """Under a new epoch, so that a worker that holds one walks away. What was sent and not seen stays unknown."""
    await connection.execute(
        """update attempts a set outcome = case when sends = 0 then 'not_applied' else 'unknown' end,
                  outcome_why = $2, outcome_at = remediator_now()
           from runs r where r.id = a.run_id and r.state = any($1) and a.outcome is null""",
        _HELD,
        why,
    )
    await connection.execute(
        """update approval_requests q set closed_at = remediator_now(), closed_why = $2
           from runs r where r.id = q.run_id and r.state = any($1) and q.closed_at is null""",
        _HELD,
        why,
    )
    await connection.execute(
        """with ended as (
               update runs set state = $3, why = $2, hold_why = null, ended_at = remediator_now(),
                               epoch = nextval('epochs'), lease_owner = null, lease_until = null
               where state = any($1) returning id, incident_id)
           insert into journal (kind, text, incident_id, run_id)
               select 'state', $3 || ': ' || $2, incident_id, id from ended""",
        _HELD,
        why,
        State.ESCALATED,
    )


async def _close_alerts(connection: Connection) -> None:
    await connection.execute(
        """update notices set read_at = remediator_now(), disposition = 'other_cluster' where read_at is null"""
    )
    await connection.execute("update backfills set done_at = remediator_now() where done_at is null")
    await connection.execute(
        """update episodes set closed_at = remediator_now(), closed_because = $1, plan_due_at = null
           where closed_at is null""",
        ANOTHER_CLUSTER,
    )
    await connection.execute("update incidents set closed_at = remediator_now() where closed_at is null")
    await connection.execute("update storms set ended_at = remediator_now() where ended_at is null")
