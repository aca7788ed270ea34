"""Which alerts are or were open on a target, as steps may ask."""

from collections.abc import Collection

from remediator.domain.history import AlertSpan, OpenAlert
from remediator.domain.target import Target
from remediator.store.database import Connection


async def names_open_on(connection: Connection, target: Target) -> list[str]:
    """The names of the alerts that are open on a target, each once."""
    rows = await connection.fetch(
        "select distinct alertname from episodes where target = $1 and closed_at is null order by 1",
        str(target),
    )
    return [row["alertname"] for row in rows]


async def spans(
    connection: Connection, target: Target, alertnames: Collection[str] | None
) -> list[AlertSpan]:
    """When these alerts, or any (None), were open on a target, oldest first."""
    rows = await connection.fetch(
        """select alertname, starts_at, coalesce(ends_at, closed_at) as closed_at from episodes
           where target = $1 and ($2::text[] is null or alertname = any($2)) order by starts_at, id""",
        str(target),
        None if alertnames is None else list(alertnames),
    )
    return [AlertSpan(**row) for row in rows]


async def open_beside(connection: Connection, run_id: int, target: Target) -> list[OpenAlert]:
    """The open episodes of a target and of a run's incident, oldest first.

    Of an alert that no rule matches the target was never looked up: its labels have to name the workload.
    """
    rows = await connection.fetch(
        """select alertname, labels, starts_at from episodes
           where closed_at is null
             and (target = $1 or incident_id = (select incident_id from runs where id = $2)
                  or target is null and labels ->> 'namespace' = $3 and labels ->> $4 = $5)
           order by starts_at, id""",
        str(target),
        run_id,
        target.namespace,
        target.kind,
        target.name,
    )
    return [OpenAlert(**row) for row in rows]
