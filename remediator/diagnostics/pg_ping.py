"""Does the database answer, and since when?"""

from datetime import timedelta

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.duration import format_duration
from remediator.domain.run_view import RunView
from remediator.errors import Retryable
from remediator.kit import Kit
from remediator.step import DatabaseDiagnostic

_STATE = """select pg_postmaster_start_time() as started, pg_is_in_recovery() as standby,
                   current_setting('default_transaction_read_only') = 'on' as refuses_writes,
                   case when pg_is_in_recovery() and pg_last_wal_receive_lsn() <> pg_last_wal_replay_lsn()
                        then pg_last_xact_replay_timestamp() end as replayed_until"""


class PgPing(DatabaseDiagnostic):
    """Connects and asks one question: how long that took, primary or standby, since when it runs.

    That it does not answer is what was seen, and no failure of the look.
    """

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        try:
            return await super().look(run, kit)
        except Retryable as reason:
            return Evidence(step=self.key(), summary=reason.sentence, details={"answers": False})

    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        began = kit.clock.monotonic()
        state = await session.row(_STATE)
        milliseconds = (kit.clock.monotonic() - began) * 1000
        up = timedelta(seconds=round((session.moment - state["started"]).total_seconds()))
        role = "standby" if state["standby"] else "primary"
        summary = f"answers in {milliseconds:.0f} ms: PostgreSQL {session.version}, {role}"
        summary += f", up for {format_duration(up)}"
        behind = None
        if state["replayed_until"] is not None:
            behind = round((session.moment - state["replayed_until"]).total_seconds())
            summary += f", {behind} s behind its primary"
        if state["refuses_writes"]:
            summary += ", refuses writes (default_transaction_read_only)"
        details = {
            "answers": True,
            "milliseconds": round(milliseconds, 1),
            "version": session.version,
            "standby": state["standby"],
            "started_at": state["started"].isoformat(),
            "seconds_behind": behind,
        }
        return Evidence(step=self.key(), summary=summary, details=details)
