"""Episodes: one open-to-closed stretch of one alert."""

from collections.abc import Sequence
from datetime import datetime

from remediator.domain.alert import Alert
from remediator.domain.run_view import TriggerAlert
from remediator.domain.value import Value
from remediator.store.database import Connection

FIELDS = """id, source, fingerprint, alertname, labels, annotations, starts_at, opened_at, last_seen_at,
             ends_at, closed_at, closed_because, plan_due_at, disposition, why, incident_id, run_id, target"""


class Episode(Value):
    """One episode as stored."""

    id: int
    source: str
    fingerprint: str
    alertname: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    opened_at: datetime
    last_seen_at: datetime
    ends_at: datetime | None
    closed_at: datetime | None
    closed_because: str | None
    plan_due_at: datetime | None
    disposition: str | None
    why: str | None
    incident_id: int | None
    run_id: int | None
    target: str | None

    @property
    def trigger(self) -> TriggerAlert:
        """The alert as the run it makes remembers it."""
        return TriggerAlert(
            source=self.source,
            fingerprint=self.fingerprint,
            labels=self.labels,
            annotations=self.annotations,
            starts_at=self.starts_at,
            received_at=self.opened_at,
        )


async def lock_alert(connection: Connection, source: str, fingerprint: str) -> None:
    """Notices of one alert are read one after the other, whichever replica reads them."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{source}/{fingerprint}"
    )


async def latest(connection: Connection, source: str, fingerprint: str) -> Episode | None:
    """The newest episode of an alert, open or closed, locked."""
    row = await connection.fetchrow(
        f"""select {FIELDS} from episodes where source = $1 and fingerprint = $2
            order by id desc limit 1 for update""",
        source,
        fingerprint,
    )
    return None if row is None else Episode(**row)


async def open_new(connection: Connection, source: str, alert: Alert) -> int:
    """A new episode, to be planned at once; recorded as closed already when the alert is resolved."""
    resolved = alert.status == "resolved"
    episode_id: int = await connection.fetchval(
        """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at,
                                 ends_at, closed_at, closed_because, plan_due_at)
           values ($1, $2, $3, $4, $5, $6, $7,
                   case when $8 then remediator_now() end, case when $8 then 'resolved' end,
                   case when not $8 then remediator_now() end)
           returning id""",
        source,
        alert.fingerprint,
        alert.name,
        alert.labels,
        alert.annotations,
        alert.starts_at,
        alert.ends_at,
        resolved,
    )
    return episode_id


async def refresh(connection: Connection, episode_id: int) -> None:
    """It was heard of again: plan anew, since a repeat may come when acting has become possible."""
    await connection.execute(
        """update episodes set last_seen_at = remediator_now(), absent_since = null,
                               plan_due_at = coalesce(plan_due_at, remediator_now())
           where id = $1""",
        episode_id,
    )


async def close(connection: Connection, episode_id: int, because: str, ends_at: datetime | None) -> None:
    """The alert is over; `ends_at` is Alertmanager's, or None for now."""
    await connection.execute(
        """update episodes set closed_at = remediator_now(), closed_because = $2,
                               ends_at = coalesce($3, remediator_now()), plan_due_at = null
           where id = $1 and closed_at is null""",
        episode_id,
        because,
        ends_at,
    )


async def reopen(connection: Connection, episode_id: int) -> None:
    """It was taken for gone, and yet Alertmanager sends it again."""
    await connection.execute(
        """update episodes set closed_at = null, closed_because = null, ends_at = null,
                               absent_since = null, last_seen_at = remediator_now(), plan_due_at = remediator_now()
           where id = $1""",
        episode_id,
    )


async def take_due(connection: Connection, seconds: float, target: str | None = None) -> int | None:
    """One open episode whose planning is due, by id; it is due again after `seconds`, whatever happens.

    Moving the time before the work means that an episode nobody can plan never stops the loop.
    """
    found: int | None = await connection.fetchval(
        """update episodes set plan_due_at = remediator_now() + make_interval(secs => $1)
           where id = (select id from episodes
                       where plan_due_at <= remediator_now() and closed_at is null
                         and ($2::text is null or target = $2)
                       order by plan_due_at, id limit 1 for update skip locked)
           returning id""",
        seconds,
        target,
    )
    return found


async def find_open(connection: Connection, episode_id: int) -> Episode | None:
    """One episode; None when it was closed meanwhile."""
    row = await connection.fetchrow(
        f"select {FIELDS} from episodes where id = $1 and closed_at is null", episode_id
    )
    return None if row is None else Episode(**row)


async def lock_open(connection: Connection, episode_id: int) -> Episode | None:
    """The same, locked until the end of the transaction."""
    row = await connection.fetchrow(
        f"select {FIELDS} from episodes where id = $1 and closed_at is null for update",
        episode_id,
    )
    return None if row is None else Episode(**row)


async def planned(
    connection: Connection,
    episode_id: int,
    *,
    disposition: str,
    why: str,
    again_at: datetime | None = None,
    incident_id: int | None = None,
    run_id: int | None = None,
) -> None:
    """Record what planning decided, and when to look again."""
    await connection.execute(
        """update episodes set disposition = $2, why = $3, plan_due_at = $4,
                               incident_id = coalesce($5, incident_id), run_id = coalesce($6, run_id)
           where id = $1""",
        episode_id,
        disposition,
        why,
        again_at,
        incident_id,
        run_id,
    )


async def place(
    connection: Connection,
    episode_id: int,
    incident_id: int,
    target: str,
    depends_on: Sequence[str],
    *,
    acting: bool,
) -> bool:
    """It belongs to this incident and is about this target; True when this is new of a rule that acts."""
    was_known: bool = await connection.fetchval(
        "select acting and target is not distinct from $2 from episodes where id = $1", episode_id, target
    )
    await connection.execute(
        """update episodes set incident_id = $2, target = $3, depends_on = $4, acting = acting or $5
           where id = $1""",
        episode_id,
        incident_id,
        target,
        list(depends_on),
        acting,
    )
    return acting and not was_known


async def forget_target(connection: Connection, episode_id: int) -> None:
    """What it was about can no longer be told; its incident stays the same."""
    await connection.execute("update episodes set target = null where id = $1", episode_id)


async def refresh_soon(connection: Connection, episode_id: int) -> None:
    """Plan it again at once: somebody else was quicker."""
    await connection.execute("update episodes set plan_due_at = remediator_now() where id = $1", episode_id)


async def plan_again(connection: Connection, run_id: int) -> None:
    """The open episodes of a run whose plan came to nothing are due; planning says when the target has settled."""
    await connection.execute(
        "update episodes set plan_due_at = remediator_now() where run_id = $1 and closed_at is null", run_id
    )


async def waiting_beside(connection: Connection, incident_id: int, episode_id: int) -> list[Episode]:
    """The other open episodes of an incident that are about its target and that no run has taken up yet."""
    rows = await connection.fetch(
        f"""select {FIELDS} from episodes
            where incident_id = $1 and id <> $2 and closed_at is null and run_id is null and target is not null
            order by id""",
        incident_id,
        episode_id,
    )
    return [Episode(**row) for row in rows]


async def any_open(connection: Connection, run_id: int, source: str, fingerprint: str) -> bool:
    """Whether an alert of this run, or the alert that made it, is still open."""
    found = await connection.fetchval(
        """select 1 from episodes
           where closed_at is null and (run_id = $1 or (source = $2 and fingerprint = $3)) limit 1""",
        run_id,
        source,
        fingerprint,
    )
    return found is not None


async def all_open(connection: Connection) -> list[Episode]:
    """Every open episode, oldest first."""
    rows = await connection.fetch(f"select {FIELDS} from episodes where closed_at is null order by id")
    return [Episode(**row) for row in rows]


async def mark_absent(connection: Connection, episode_id: int, seconds: float) -> bool:
    """Alertmanager does not list it; True when that has been so for `seconds`."""
    gone = await connection.fetchval(
        """update episodes set absent_since = coalesce(absent_since, remediator_now()) where id = $1
           returning remediator_now() - absent_since >= make_interval(secs => $2)""",
        episode_id,
        seconds,
    )
    return bool(gone)


async def mark_present(connection: Connection, episode_id: int) -> None:
    """Alertmanager lists it."""
    await connection.execute(
        "update episodes set absent_since = null where id = $1 and absent_since is not null", episode_id
    )


async def of_incident(connection: Connection, incident_id: int) -> list[Episode]:
    """The episodes of an incident, oldest first."""
    rows = await connection.fetch(
        f"select {FIELDS} from episodes where incident_id = $1 order by id",
        incident_id,
    )
    return [Episode(**row) for row in rows]


async def recent(connection: Connection, *, limit: int = 50) -> list[Episode]:
    """The newest episodes first."""
    rows = await connection.fetch(
        f"select {FIELDS} from episodes order by id desc limit $1",
        limit,
    )
    return [Episode(**row) for row in rows]
