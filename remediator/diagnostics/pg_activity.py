"""What the sessions of a database are at, and who holds up whom."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.blocking import Place, blocking_trees
from remediator.domain.duration import Duration, format_duration
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.redaction.statements import without_values
from remediator.step import DatabaseDiagnostic

_MOST_IN_TREES = 60
_HIDDEN = "<insufficient privilege>"
"""What PostgreSQL shows in the place of a statement that is not for this role."""
_SESSIONS = """
select pid, usename::text as role, datname::text as database, application_name as application,
       host(client_addr) as client, backend_type as kind, state, wait_event_type || ':' || wait_event as waits_for,
       xact_start, query_start, state_change, left(query, 1000) as query,
       case when wait_event_type = 'Lock' then pg_blocking_pids(pid) end as blocked_by,
       count(*) over ()::int as sessions
from pg_stat_activity
where (usename, application_name) is distinct from (current_user, 'remediator')
  and (datname is not null or state is not null)
order by wait_event_type = 'Lock' desc nulls last, state = 'idle' nulls last, xact_start nulls last, pid"""

_Row = dict[str, Any]


class PgActivity(DatabaseDiagnostic):
    """`pg_activity: {longer_than: 5m}`: what is under way on the whole server, the longest transactions first.

    Sessions that wait for locks are shown as trees, below the session that holds them up. Of statements the values are
    left out.
    """

    longer_than: Duration = timedelta(minutes=5)
    """Statements under way for longer are counted."""
    most: int = Field(default=20, strict=True, ge=1, le=100)
    """So many sessions are shown."""

    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        found = await session.rows(_SESSIONS)
        hidden = sum(1 for each in found if each["query"] == _HIDDEN)
        if hidden:
            session.unseen.append(f"what {hidden} sessions of other roles do: grant pg_monitor")
        sessions = {each["pid"]: each for each in found}
        active = [each for each in found if each["state"] not in (None, "idle")]
        active.sort(key=lambda each: each["xact_start"] or each["query_start"] or session.moment)
        trees = blocking_trees({pid: each["blocked_by"] or () for pid, each in sessions.items()})
        return Evidence(
            step=self.key(),
            summary=self._summary(found, active, trees, sessions, session.moment),
            details={
                "sessions": found[0]["sessions"] if found else 0,
                "active": [_shown(each, session.moment) for each in active[: self.most]],
                "left_out": max(0, len(active) - self.most),
                "blocking": [_line(each, sessions, session.moment) for each in trees[:_MOST_IN_TREES]],
                "blocking_left_out": max(0, len(trees) - _MOST_IN_TREES),
            },
        )

    def _summary(
        self,
        found: list[_Row],
        active: list[_Row],
        trees: list[Place],
        sessions: dict[int, _Row],
        now: datetime,
    ) -> str:
        running = [_seconds(each["query_start"], now) or 0.0 for each in active if each["state"] == "active"]
        limit = self.longer_than.total_seconds()
        long = sum(1 for each in running if each > limit)
        said = f"{len(active)} of {found[0]['sessions'] if found else 0} sessions at work"
        if running:
            said += f", statements for longer than {format_duration(self.longer_than)}: {long}"
            said += f" (longest {_lasting(max(running))})"
        tops = [each for each in trees if each.depth == 0]
        if tops:
            waiting = sum(1 for each in trees if sessions.get(each.pid, {}).get("blocked_by"))
            said += f"; {waiting} wait for locks, {tops[0].holds_up} of them for {_who(tops[0].pid, sessions, now)}"
        return said


def _shown(row: _Row, now: datetime) -> _Row:
    kept = ("pid", "role", "database", "application", "client", "kind", "state", "waits_for", "blocked_by")
    return {
        **{key: row[key] for key in kept},
        "transaction_seconds": _seconds(row["xact_start"], now),
        "statement_seconds": _seconds(row["query_start"], now) if row["state"] == "active" else None,
        "query": without_values(row["query"]),
    }


def _line(place: Place, sessions: dict[int, _Row], now: datetime) -> str:
    """`    pid 12 (active for 3m, shop/api) waits: update orders set ...`"""
    row = sessions.get(place.pid, {})
    blockers = [str(each) for each in row.get("blocked_by") or ()]
    shown = ", ".join(blockers[:3]) + (" and others" if len(blockers) > 3 else "")
    waits = f" waits for {shown}" if blockers else ""
    holds = f" holds up {place.holds_up}" if place.holds_up else ""
    query = f": {without_values(row['query'], 160)}" if row.get("query") else ""
    return f"{'  ' * place.depth}{_who(place.pid, sessions, now)}{holds}{waits}{query}"


def _who(pid: int, sessions: dict[int, _Row], now: datetime) -> str:
    if pid == 0:
        return "a prepared transaction"
    row = sessions.get(pid)
    if row is None:
        return f"pid {pid}, which is gone"
    lasts = _seconds(row["query_start"] if row["state"] == "active" else row["state_change"], now)
    said = [
        f"{row['state'] or row['kind'] or 'not shown'}{'' if lasts is None else f' for {_lasting(lasts)}'}"
    ]
    said += [f"{row['role']}@{row['database']}"] if row["role"] else []
    said += [row["application"]] if row["application"] else []
    return f"pid {pid} ({', '.join(said)})"


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, round((now - since).total_seconds(), 1))


def _lasting(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))
