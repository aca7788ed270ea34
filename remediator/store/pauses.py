"""Named requests to stand still. Intents and pauses lock the same row, so one comes wholly before the other."""

from datetime import datetime
from typing import Literal

from remediator.domain.value import Value
from remediator.store.database import Connection

Scope = Literal["everything", "namespace", "rule", "target"]


class PauseRequest(Value):
    """Who asked for what, why and until when."""

    id: int
    scope: Scope
    value: str
    who: str
    why: str
    until: datetime | None
    created_at: datetime


async def request(
    connection: Connection, scope: Scope, value: str, who: str, why: str, until: datetime | None = None
) -> int:
    """Pause; call within a transaction. No intent commits after this one has."""
    await connection.execute("select 1 from intent_gate for update")
    pause_id: int = await connection.fetchval(
        "insert into pauses (scope, value, who, why, until) values ($1, $2, $3, $4, $5) returning id",
        scope,
        value,
        who,
        why,
        until,
    )
    return pause_id


async def clear(connection: Connection, pause_id: int, who: str) -> bool:
    """End a pause; False when there is no such open pause."""
    cleared = await connection.fetchval(
        """update pauses set cleared_at = remediator_now(), cleared_by = $2
           where id = $1 and cleared_at is null returning id""",
        pause_id,
        who,
    )
    return cleared is not None


async def open_pauses(connection: Connection) -> list[PauseRequest]:
    """Every pause in force, oldest first."""
    rows = await connection.fetch(
        """select id, scope, value, who, why, until, created_at from pauses
           where cleared_at is null and (until is null or until > remediator_now()) order by id"""
    )
    return [PauseRequest(**row) for row in rows]
