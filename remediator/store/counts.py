"""Counts that guards declare: the one function that holds a limit against what the database holds.

An intent's own transaction enforces them with it (`store/attempts`), and check_guards asks the same
function read-only before that.
"""

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.run import Run, State
from remediator.store import budgets, pauses, storms
from remediator.store.database import Connection


async def count(connection: Connection, limit: Limit, run: Run, change: Change | None) -> GuardVerdict:
    """Hold one limit against what the database holds; without a change, pairs and returns count nothing."""
    if limit.count in ("pauses", "freezes"):
        return await pauses.verdict(connection, limit, run.view)
    if limit.count in ("slots", "unsettled"):
        return await budgets.room(connection, limit, run)
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
    if limit.count == "storms":
        return "no storm covers this target"
    scope = {
        "pair": "of this very change",
        "return": "away from where it would go",
        "put_back": "by which a person put this version back",
        "action": "by this action",
    }.get(limit.of, f"of this {limit.of}")
    return (
        f"{existing} {limit.count} {scope} in {limit.per_seconds / 3600:g} h, fewer than {limit.fewer_than}"
    )


async def _existing(connection: Connection, limit: Limit, run: Run, change: Change | None) -> int:
    if limit.count == "storms":
        return await _storms(connection, limit, run)
    if limit.count == "runs":
        return await _runs(connection, limit, run.view)
    return await _effects(connection, limit, run.view, change)


async def _effects(connection: Connection, limit: Limit, run: RunView, change: Change | None) -> int:
    """Rungs that made, or may have made, an effect; each counts until a window after its last outcome.

    The rung at work does not count against itself: a stuck StatefulSet needs two changes, and half a cure is
    none. A restart leaves no version.
    """
    return int(
        await connection.fetchval(
            f"""select count(distinct (run_id, rung)) from attempts
               where {budgets.MAY_BE_EFFECT}
                 and (outcome_at is null or outcome_at > remediator_now() - make_interval(secs => $1))
                 and not (run_id = $8 and ($9 or rung = $10)) and {_IN_SCOPE}
                 and case $2
                     when 'pair' then from_revision = $11 and to_revision = $12
                     when 'action' then action = $13
                     when 'return' then from_revision = $12 and to_revision <> from_revision
                     when 'put_back' then action = 'undo' and to_revision = $11
                     else true end""",
            *_scope(limit, run),
            run.run_id,
            limit.other_runs_only,
            run.rung,
            change.from_revision if change is not None else None,
            change.to_revision if change is not None else None,
            change.action if change is not None else None,
        )
    )


async def _runs(connection: Connection, limit: Limit, run: RunView) -> int:
    """Runs made before this one: of several that wait, the oldest is always free to go on."""
    return int(
        await connection.fetchval(
            f"""select count(*) from runs
               where mode <> 'shadow' and created_at > remediator_now() - make_interval(secs => $1)
                 and id < $8 and {_IN_SCOPE}""",
            *_scope(limit, run),
            run.run_id,
        )
    )


_IN_SCOPE = """case $2
    when 'everything' then true
    when 'namespace' then cluster = $3 and namespace = $5
    when 'rule' then rule = $7
    else cluster = $3 and kind = $4 and namespace = $5 and name = $6 end"""


def _scope(limit: Limit, run: RunView) -> tuple[object, ...]:
    """What the first seven parameters of a count are."""
    target = run.target
    named = (target.cluster, target.kind, target.namespace, target.name)
    return (limit.per_seconds, limit.of, *named, run.rule)


async def _storms(connection: Connection, limit: Limit, run: Run) -> int:
    """1 while a storm covers the target, unless this is the one target that it lets a person decide about.

    Once the run is approved that holds only where its plan asked about this very storm: one that came later has
    nobody's answer. Before that nobody has been asked yet.
    """
    storm = await storms.covering(connection, run.target)
    if storm is None:
        return 0
    asked = run.plan.asked if run.plan is not None else ()
    decided = run.state is not State.APPROVED or f"{limit.guard}: {storm.offer}" in asked
    return 0 if storm.offered == str(run.target) and decided else 1
