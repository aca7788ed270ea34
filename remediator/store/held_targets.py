"""Targets that a run keeps others away from, for the digest."""

from remediator.domain.value import Value
from remediator.run import ACTIVE, State
from remediator.store.database import Connection

_HOLD = sorted({*ACTIVE, State.UNKNOWN})


class HeldTarget(Value):
    """A target and the run that holds it."""

    target: str
    """`kind/namespace/name`."""
    run_id: int
    rule: str
    state: State
    why: str
    seconds: float
    """Since the run was made."""


async def held(connection: Connection) -> list[HeldTarget]:
    """Those held longest first."""
    rows = await connection.fetch(
        """select kind || '/' || namespace || '/' || name as target, id as run_id, rule, state,
                  coalesce(hold_why, why, 'it has just begun') as why,
                  greatest(0, extract(epoch from remediator_now() - created_at))::float8 as seconds
           from runs where mode <> 'shadow' and state = any($1) order by created_at, id""",
        _HOLD,
    )
    return [HeldTarget(**row) for row in rows]
