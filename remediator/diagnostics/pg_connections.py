"""Who holds the connections, and how many there may be."""

from datetime import timedelta

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.duration import format_duration
from remediator.step import WholeDatabaseDiagnostic

_MOST = 30
_ROOM = """select current_setting('max_connections')::int as most,
                  current_setting('superuser_reserved_connections')::int
                  + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved"""
_GROUPS = """select datname::text as database, usename::text as role, application_name as application,
                    case when (usename, application_name) is not distinct from (current_user, 'remediator')
                         then 'of this look' else state end as state,
                    count(*)::int as connections,
                    greatest(0, max(extract(epoch from $1 - state_change)))::float8 as longest_seconds
             from pg_stat_activity
             where backend_type = 'client backend' or (backend_type is null and datname is not null)
             group by 1, 2, 3, 4 order by connections desc, 1, 2, 3, 4"""


class PgConnections(WholeDatabaseDiagnostic):
    """Connections of the whole server by database, role, application and state, beside `max_connections`.

    Those idle in a transaction, which keep their locks, are named with the longest of them.
    """

    async def examine(self, session: Session) -> Evidence:
        room = await session.row(_ROOM)
        groups = await session.rows(_GROUPS, session.moment)
        if not session.sees_statistics:
            session.unseen.append("the states of other roles' connections: grant pg_monitor")
        states: dict[str, int] = {}
        for each in groups:
            state = each["state"] or "unknown"
            states[state] = states.get(state, 0) + each["connections"]
        taken = sum(states.values())
        free = max(0, room["most"] - room["reserved"] - taken)
        counted = ", ".join(
            f"{count} {state}" for state, count in sorted(states.items(), key=lambda each: -each[1])
        )
        idle = [
            each["longest_seconds"]
            for each in groups
            if (each["state"] or "").startswith("idle in transaction") and each["longest_seconds"] is not None
        ]
        longest = f"; longest idle in a transaction: {_lasting(max(idle))}" if idle else ""
        return Evidence(
            step=self.key(),
            summary=f"{taken} of {room['most']} connections taken, {free} free for applications: {counted}{longest}",
            details={
                "taken": taken,
                "max_connections": room["most"],
                "reserved": room["reserved"],
                "states": states,
                "groups": groups[:_MOST],
                "left_out": max(0, len(groups) - _MOST),
            },
        )


def _lasting(seconds: float) -> str:
    return format_duration(timedelta(seconds=max(0, round(seconds))))
