"""Incidents: one problem of one target, or of no target that could be resolved."""

from datetime import datetime

from remediator.domain.severity import Severity
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.store.database import Connection

_FIELDS = """id, subject, title, cluster, kind, namespace, name, severity, opened_at, closed_at"""


class Incident(Value):
    """One incident as stored."""

    id: int
    subject: str
    title: str
    cluster: str
    kind: str | None
    namespace: str | None
    name: str | None
    severity: str
    """Of the most urgent of its alerts; empty where there was none."""
    opened_at: datetime
    closed_at: datetime | None

    @property
    def target(self) -> str | None:
        """`kind/namespace/name`, or None for an incident without target."""
        return f"{self.kind}/{self.namespace}/{self.name}" if self.kind is not None else None


async def lock(connection: Connection, subject: str) -> None:
    """Until the end of the transaction nobody else plans on this subject, open incident or not.

    To be taken before any episode is locked: whoever plans also moves other episodes of the incident.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 1))", subject)


async def attach(
    connection: Connection,
    *,
    subject: str,
    title: str,
    cluster: str,
    target: Target | None,
    severity: Severity | None,
) -> tuple[int, bool]:
    """The open incident of this subject, made when there is none, and locked; True when it is new.

    A more urgent alert makes it more urgent, and it stays so when that alert clears.

    No key of an incident or of a run ever changes, so that they are locked `for no key update`: the foreign keys of
    whoever writes about them wait for nobody, in whatever order planning and a worker name the two.
    """
    made = await connection.fetchval(
        """insert into incidents (subject, title, cluster, kind, namespace, name, severity)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (subject) where closed_at is null do nothing returning id""",
        subject,
        redact(title),
        cluster,
        target.kind if target else None,
        target.namespace if target else None,
        target.name if target else None,
        severity or "",
    )
    incident_id: int = await connection.fetchval(
        "select id from incidents where subject = $1 and closed_at is null for no key update", subject
    )
    if made is None and severity is not None:
        await connection.execute(
            "update incidents set severity = $2 where id = $1 and (severity = '' or severity > $2)",
            incident_id,
            severity,
        )
    return incident_id, made is not None


async def close_finished(connection: Connection) -> list[int]:
    """Close the incidents whose alerts are all closed and whose runs have all ended; their ids."""
    rows = await connection.fetch(
        """update incidents i set closed_at = remediator_now()
           where i.closed_at is null
             and not exists (select 1 from episodes e where e.incident_id = i.id and e.closed_at is null)
             and not exists (select 1 from runs r where r.incident_id = i.id
                             and (r.ended_at is null or r.state = 'UNKNOWN'))
           returning i.id"""
    )
    return [row["id"] for row in rows]


async def find(connection: Connection, incident_id: int) -> Incident | None:
    """One incident."""
    row = await connection.fetchrow(f"select {_FIELDS} from incidents where id = $1", incident_id)
    return None if row is None else Incident(**row)


async def recent(connection: Connection, *, limit: int = 50) -> list[Incident]:
    """The newest incidents first."""
    rows = await connection.fetch(
        f"select {_FIELDS} from incidents order by id desc limit $1",
        limit,
    )
    return [Incident(**row) for row in rows]
