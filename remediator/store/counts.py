"""Counts that guards declare: the one function that holds a limit against what the database holds.

An intent's own transaction enforces them with it (`store/attempts`), and check_guards asks the same
function read-only before that.
"""

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.store.database import Connection


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
