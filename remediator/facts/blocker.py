"""Facts of the session that holds up most others, in the database behind the workload."""

from typing import Any

from remediator.domain.blocking import blocking_trees
from remediator.domain.run_view import RunView
from remediator.errors import Permanent
from remediator.kit import Kit

_SESSIONS = """
select pid, backend_start::text as began,
       case when wait_event_type = 'Lock' then pg_blocking_pids(pid) end as blocked_by
from pg_stat_activity"""


async def session(run: RunView, kit: Kit) -> str:
    """The condition that is true of it alone: a number is given again, but not with the same beginning."""
    found = await _blocker(run, kit)
    return f"pid = {found['pid']} and backend_start = '{found['began']}'"


async def holds_up(run: RunView, kit: Kit) -> str:
    return str((await _blocker(run, kit))["holds_up"])


async def _blocker(run: RunView, kit: Kit) -> dict[str, Any]:
    async with kit.databases.session(kit.databases.chosen(None, run.target)) as opened:
        rows = {each["pid"]: each for each in await opened.rows(_SESSIONS)}
    tops = [
        each
        for each in blocking_trees({pid: row["blocked_by"] or () for pid, row in rows.items()})
        if not each.depth
    ]
    if not tops:
        raise Permanent("no session waits for another")
    row = rows.get(tops[0].pid)
    if row is None or row["began"] is None:
        raise Permanent("what holds up most is no session that can be ended (a prepared transaction?)")
    return {**row, "holds_up": tops[0].holds_up}
