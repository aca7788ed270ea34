"""What becomes of a run when its stage breaks: it is held, and after a while people take over. Others go on."""

from remediator.run import BEFORE_EFFECTS, End, Hold, Run, State, Verdict
from remediator.runbook.desk import Desk
from remediator.store import attempts

_AGAIN_SECONDS = 60.0


async def undecided(desk: Desk, run: Run, why: str) -> Verdict:
    """Hold it; or end it once it has been held for as long as anything may be.

    A change that may have been sent and of which nothing can be told is UNKNOWN, as ever.
    """
    since = run.rung_since if run.state in BEFORE_EFFECTS else run.acted_at or run.rung_since
    async with desk.database.connection() as connection:
        now = await connection.fetchval("select remediator_now()")
        tried = await attempts.of_rung(connection, run)
    if now - since <= desk.rhythm.give_up_holding_after:
        return Hold(why, seconds=_AGAIN_SECONDS)
    in_doubt = any(each.outcome is None and each.sends for each in tried.values())
    return End(f"{why}; it is left to people", state=State.UNKNOWN if in_doubt else State.ESCALATED)
