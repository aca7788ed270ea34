"""Requests to stand still. Intents and requests lock the same row, so one comes wholly before the other.

A pause begins at once and lasts until people end it, or for as long as they said. A freeze is planned: it has a
beginning and an end.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.run_view import RunView
from remediator.domain.switch import Scope, Switch, covers
from remediator.domain.value import JsonObject, Value
from remediator.redaction.text import redact
from remediator.run import BEFORE_EFFECTS
from remediator.store import journal
from remediator.store.database import Connection, Database

Kind = Literal["pause", "freeze"]
Source = Literal["request", "annotation", "file"]

_log = logging.getLogger(__name__)

SEEN_SECONDS = 3.0
"""A file that a replica saw so long ago may still be there: every replica looks twice a second."""

_FIELDS = """id, kind, name, scope, value, source, who, why, starts_at, until, created_at,
             starts_at <= remediator_now() as in_force,
             extract(epoch from remediator_now() - seen_at)::float8 as seen_seconds_ago"""
_IN_FORCE = """cleared_at is null and starts_at <= remediator_now()
               and (until is null or until > remediator_now())"""
_OPEN = "cleared_at is null and (until is null or until > remediator_now())"
_GATE = "select 1 from intent_gate for update"


class Asked(Value):
    """What a person asks for."""

    kind: Kind
    scope: Scope
    value: str
    who: str
    why: str
    name: str | None = None
    """Made up when not given; unique among those that are open."""
    starts_at: datetime | None = None
    """None is now."""
    until: datetime | None = None
    lasts: timedelta | None = None
    """From now on, instead of `until`."""


class PauseRequest(Value):
    """Who asked for what, why, from when and until when."""

    id: int
    kind: Kind
    name: str
    scope: Scope
    value: str
    source: Source
    who: str
    why: str
    starts_at: datetime
    until: datetime | None
    created_at: datetime
    in_force: bool
    """False for a freeze that is still to come."""
    seen_seconds_ago: float | None
    """When a replica last saw the file that it was made from; None for all others."""

    @property
    def covers(self) -> str:
        return covers(self.scope, self.value)

    @property
    def sentence(self) -> str:
        """Who stopped what, until when and why."""
        did = "paused" if self.kind == "pause" else "froze"
        by = "" if self.source == "request" else f" by {self.source}"
        until = f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else f"until {self.name} is resumed"
        return f"{self.who} {did} {self.covers}{by} {until}, because {self.why}"

    def shown(self) -> JsonObject:
        """As the API shows it, and as it stands in the journal."""
        shown = self.to_json()
        del shown["seen_seconds_ago"]
        return {**shown, "from": shown.pop("starts_at")}


async def request(connection: Connection, asked: Asked) -> PauseRequest | None:
    """Stand still as a person asks; call within a transaction. None when the name is taken.

    No intent commits after a pause has, and none while a freeze is in force. The clock is read after the gate.
    """
    # Whoever wants everything to stop waits longer for the gate than those who are to be stopped.
    await connection.execute("set local lock_timeout = '8s'")
    await connection.execute(_GATE)
    # What ran out by itself has given its name free.
    await connection.execute(
        """update pauses set cleared_at = until, cleared_by = 'its time ran out'
           where cleared_at is null and until <= remediator_now()"""
    )
    return await _insert(connection, asked, "request")


async def latch(connection: Connection, switch: Switch) -> PauseRequest | None:
    """Make a pause of a switch that is set; call within a transaction. None when there is one already.

    Taking the switch away does not end it: only people do.
    """
    known = await connection.fetchval(
        """update pauses set seen_at = case when source = 'file' then remediator_now() end
           where source = $1 and scope = $2 and value = $3 and cleared_at is null returning id""",
        switch.source,
        switch.scope,
        switch.value,
    )
    if known is not None:
        return None
    await connection.execute(_GATE)
    asked = Asked(
        kind="pause",
        scope=switch.scope,
        value=switch.value,
        who=journal.storable(switch.who),
        why=journal.storable(switch.why),
    )
    return await _insert(connection, asked, switch.source)


async def latch_all(database: Database, switches: Iterable[Switch]) -> None:
    """Make a pause of every switch that has none."""
    for switch in switches:
        async with database.transaction() as connection:
            made = await latch(connection, switch)
        if made is not None:
            _log.warning("%s: %s", made.name, made.sentence)


async def clear(connection: Connection, pause: PauseRequest, who: str, why: str) -> bool:
    """End it, whatever of it was left, in a person's name; False when it is not open any more.

    Runs that were held and have not changed anything yet are asked again at once. Call within a transaction.
    """
    cleared = await connection.fetchval(
        """update pauses set cleared_at = remediator_now(), cleared_by = $2
           where id = $1 and cleared_at is null returning id""",
        pause.id,
        who,
    )
    if cleared is None:
        return False
    await connection.execute(
        """update runs set due_at = remediator_now()
           where hold_why is not null and state = any($1) and due_at > remediator_now()
             and case $2 when 'everything' then true when 'namespace' then namespace = $3
                         when 'rule' then rule = $3 else concat_ws('/', kind, namespace, name) = $3 end""",
        sorted(BEFORE_EFFECTS),
        pause.scope,
        pause.value,
    )
    await _told(connection, pause, f"{who} ended {pause.name} of {pause.covers}: {why}", who)
    return True


async def open_pauses(connection: Connection) -> list[PauseRequest]:
    """Everything that is in force or planned, oldest first."""
    rows = await connection.fetch(f"select {_FIELDS} from pauses where {_OPEN} order by id")
    return [PauseRequest(**row) for row in rows]


async def named(connection: Connection, name: str) -> PauseRequest | None:
    """The open one of this name, or of this number."""
    row = await connection.fetchrow(
        f"select {_FIELDS} from pauses where (name = $1 or id::text = $1) and {_OPEN}", name
    )
    return None if row is None else PauseRequest(**row)


async def of_everything(connection: Connection) -> list[PauseRequest]:
    """Those in force that stop this daemon altogether."""
    rows = await connection.fetch(
        f"select {_FIELDS} from pauses where {_IN_FORCE} and scope = 'everything' order by id"
    )
    return [PauseRequest(**row) for row in rows]


async def counted(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many are in force, by kind, scope and source."""
    rows = await connection.fetch(
        f"""select kind, scope, source, count(*) as pauses from pauses where {_IN_FORCE}
            group by kind, scope, source"""
    )
    return {(row["kind"], row["scope"], row["source"]): row["pauses"] for row in rows}


async def verdict(connection: Connection, limit: Limit, run: RunView) -> GuardVerdict:
    """Whether a pause (or a freeze, as the limit says) covers this run now, and whose it is."""
    rows = await connection.fetch(
        f"""select {_FIELDS} from pauses where {_IN_FORCE} and kind = $1
              and case scope when 'everything' then true when 'namespace' then value = $2
                             when 'rule' then value = $3 else value = $4 end
            order by id""",
        limit.count.removesuffix("s"),
        run.target.namespace,
        run.rule,
        str(run.target),
    )
    found = [PauseRequest(**row) for row in rows]
    return GuardVerdict(
        guard=limit.guard,
        answer=GuardAnswer.REFUSE if found else GuardAnswer.ALLOW,
        why=f"{limit.why}: {'; '.join(each.sentence for each in found)}"
        if found
        else f"no {limit.count.removesuffix('s')} covers this target",
        passing=limit.passing,
        inputs={limit.count: [each.shown() for each in found], "fewer_than": limit.fewer_than},
    )


async def _insert(connection: Connection, asked: Asked, source: Source) -> PauseRequest | None:
    """The new one, with its line in the journal; None when its name is taken or its switch has one."""
    row = await connection.fetchrow(
        f"""insert into pauses (id, kind, name, scope, value, source, who, why, starts_at, until, seen_at)
            overriding system value
            select id, $1, coalesce($2, $1 || '-' || id), $3, $4, $5, $6, $7,
                   coalesce($8, remediator_now()),
                   coalesce($9, remediator_now() + $10::interval), case when $5 = 'file' then remediator_now() end
            from (select nextval(pg_get_serial_sequence('pauses', 'id')) as id) as next
            on conflict do nothing returning {_FIELDS}""",
        asked.kind,
        asked.name,
        asked.scope,
        asked.value,
        source,
        asked.who,
        redact(asked.why),
        asked.starts_at,
        asked.until,
        asked.lasts,
    )
    if row is None:
        return None
    made = PauseRequest(**row)
    await _told(connection, made, f"{made.name}: {made.sentence}", made.who)
    return made


async def _told(connection: Connection, pause: PauseRequest, text: str, who: str) -> None:
    await journal.append(connection, "pause", text, {"pause": pause.id, "name": pause.name, "who": who})
