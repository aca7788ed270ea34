"""Rollbacks: the attempts that took a workload back to an earlier version, with the runs they belong to."""

from datetime import datetime

from remediator.domain.change import TemplatePatch
from remediator.domain.run_view import Trigger, TriggerAlert
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.rulebook.rule import LoadedRule
from remediator.store.attempts import Outcome
from remediator.store.database import Connection

_MOST = 200


class RolledBack(Value):
    """One rollback, made or in doubt."""

    run_id: int
    run_state: str
    rule: LoadedRule
    """As it was when the run began."""
    trigger: Trigger
    """What made the run."""
    rung: int
    intended_at: datetime
    outcome_at: datetime | None
    outcome: Outcome | None
    """None while it is under way."""
    change: TemplatePatch

    @property
    def alert(self) -> TriggerAlert | None:
        """The alert that made the run; None when a person asked for it."""
        return self.trigger if isinstance(self.trigger, TriggerAlert) else None


async def of_target(connection: Connection, target: Target) -> list[RolledBack]:
    """The newest rollbacks of a workload, newest first, without those that certainly did not happen.

    One that somebody else made in the same moment (`converged`) counts: it was decided here. One in doubt
    counts too. What a person asked us to undo, and is undone, does not.
    """
    rows = await connection.fetch(
        """select a.run_id, r.state as run_state, r.rule_text as rule, r.trigger, a.rung, a.intended_at,
                  a.outcome_at, a.outcome, a.change
           from attempts a join runs r on r.id = a.run_id
           where a.action = 'rollback' and a.cluster = $1 and a.kind = $2 and a.namespace = $3 and a.name = $4
             and undone_by(a.run_id) is null
             and (a.outcome is null or a.outcome in ('applied', 'applied_then_changed', 'converged', 'unknown'))
           order by a.id desc limit $5""",
        target.cluster,
        target.kind,
        target.namespace,
        target.name,
        _MOST,
    )
    return [RolledBack(**row) for row in rows]
