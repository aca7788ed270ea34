"""Budgets: which effects take a slot, and for which a run that has begun its plan keeps one.

Exact across replicas: an intent is committed under the lock of the gate's row, and what is counted under it
can only become fewer meanwhile. So that no plan is left half made for want of room, it needs room for all its
changes before the first, and what it has still to make stays reserved.
"""

from collections import Counter

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.value import Value
from remediator.run import Run
from remediator.store.database import Connection

MAY_BE_EFFECT = """(attempts.outcome is null
    or attempts.outcome in ('applied', 'applied_then_changed', 'unknown')
    or attempts.outcome in ('superseded', 'target_replaced') and attempts.sends > 0)"""
"""Attempts that changed something, or may have: that somebody else wrote over it proves nothing."""


class Holder(Value):
    """What one run takes of a budget."""

    run_id: int
    namespace: str
    target: str
    made: int
    """Its effects that take a slot."""
    reserved: int
    """The changes it has still to make of the plan it has begun."""

    def __str__(self) -> str:
        return f"run {self.run_id} on {self.target} ({self.made} made, {self.reserved} to come)"


async def holders(
    connection: Connection, per_seconds: float | None, within: tuple[str, str] | None = None
) -> list[Holder]:
    """The runs that take something of a budget: of a window of so many seconds, or (None) of unsettled effects.

    `within` is the cluster and namespace of a budget of one namespace.
    """
    takes = _UNSETTLED if per_seconds is None else _RECENT
    cluster, namespace = within or (None, None)
    rows = await connection.fetch(
        f"""with scoped as not materialized (
                select * from runs
                where $1::text is null or (cluster = $1 and namespace = $2)),
            made as (
                select run_id, count(*) as made from attempts join scoped on scoped.id = attempts.run_id
                where {MAY_BE_EFFECT} and {takes}
                group by run_id),
            reserved as (
                select scoped.id as run_id, jsonb_array_length(plan->'changes') - count(*) as reserved
                from scoped join attempts on attempts.run_id = scoped.id and attempts.rung = scoped.rung
                where state = 'APPROVED' and plan is not null group by scoped.id, plan)
            select runs.id as run_id, namespace, kind || '/' || namespace || '/' || name as target,
                   coalesce(made, 0) as made, greatest(coalesce(reserved, 0), 0) as reserved
            from made full join reserved using (run_id) join runs on runs.id = run_id
            order by runs.id""",
        cluster,
        namespace,
        per_seconds or 0.0,
    )
    return [Holder(**row) for row in rows]


_RECENT = """(attempts.outcome_at is null
    or attempts.outcome_at > remediator_now() - make_interval(secs => $3))"""
_UNSETTLED = """(scoped.ended_at is null or scoped.state = 'UNKNOWN') and $3::float is not null
    and (attempts.outcome is null or attempts.rung = scoped.rung)"""
"""Its verification has not ended: the run is at the same rung. UNKNOWN is over when a person settles it."""


async def taken(connection: Connection, per_seconds: float) -> dict[str, int]:
    """How much of each budget is taken; of the namespaces that of the fullest."""
    recent, unsettled = await holders(connection, per_seconds), await holders(connection, None)
    by_namespace: Counter[str] = Counter()
    for each in recent:
        by_namespace[each.namespace] += each.made + each.reserved
    return {
        "everywhere": by_namespace.total(),
        "in_namespace": max(by_namespace.values(), default=0),
        "unsettled": sum(each.made + each.reserved for each in unsettled),
    }


async def room(connection: Connection, limit: Limit, run: Run) -> GuardVerdict:
    """Whether the whole plan of a run fits into a budget."""
    target = run.target
    found = await holders(
        connection,
        None if limit.count == "unsettled" else limit.per_seconds,
        (target.cluster, target.namespace) if limit.of == "namespace" else None,
    )
    begun: bool = await connection.fetchval(
        "select exists (select 1 from attempts where run_id = $1 and rung = $2)", run.id, run.rung
    )
    taken = sum(each.made + each.reserved for each in found)
    planned = len(run.plan.changes) if run.plan is not None else 1
    needs, most = (0 if begun else planned), limit.fewer_than - 1
    allows = begun or taken + needs <= most
    return GuardVerdict(
        guard=limit.guard,
        answer=GuardAnswer.ALLOW if allows else GuardAnswer.REFUSE,
        why=_why(limit.why, found, begun=begun, taken=taken, needs=needs, most=most),
        passing=limit.passing and needs <= most,
        inputs={
            "count": taken,
            "needs": needs,
            "counted": limit.count,
            "of": limit.of,
            "fewer_than": limit.fewer_than,
            "per_seconds": limit.per_seconds,
            "held_by": [str(each) for each in found],
        },
    )


def _why(budget: str, found: list[Holder], *, begun: bool, taken: int, needs: int, most: int) -> str:
    if begun:
        return f"of {budget} its room was taken when the plan began"
    if needs > most:
        return (
            f"the plan makes {needs} changes and the budget is {budget}: there can never be room, "
            "make them by hand or raise the budget"
        )
    if taken + needs <= most:
        return f"{taken} of {budget} are taken, and it needs {needs}"
    by = ", ".join(f"run {each.run_id}" for each in found)
    return f"the budget of {budget} has no room for {needs} more: {taken} are taken, by {by}"
