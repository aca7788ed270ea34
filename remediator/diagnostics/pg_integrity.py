"""What is wrong with a database, or soon will be, that nothing else shows before it stops."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.duration import Duration, format_duration
from remediator.domain.size import format_bytes
from remediator.step import WholeDatabaseDiagnostic

_MOST = 20
_STOPS_AT = 2**31
"""Of transaction ids and of multixacts: a little before it no more are given out (documentation, 25.1.5)."""
_WORRYING = 0.5
"""Of that many, vacuum cannot keep up: by default it hurries from 0.1 on."""
_MUCH_WAL = 10 * 1024**3

_SETTINGS = """select name, setting from pg_settings where name in ('data_checksums', 'fsync', 'full_page_writes',
               'zero_damaged_pages', 'ignore_checksum_failure', 'autovacuum')"""
_CHECKSUMS = """select datname::text as name, checksum_failures::int8 as failures, checksum_last_failure as last
                from pg_stat_database where checksum_failures > 0"""
_AGES = """select datname::text as name, age(datfrozenxid) as xids, mxid_age(datminmxid) as multixacts
           from pg_database where datallowconn order by greatest(age(datfrozenxid), mxid_age(datminmxid)) desc"""
_OLDEST_TABLES = """select oid::regclass::text as name, age(relfrozenxid) as xids from pg_class
                    where relkind in ('r', 't', 'm') order by 2 desc limit 5"""
_INDEXES = """select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as on_table
              from pg_index i where not i.indisvalid order by 1"""
_CONSTRAINTS = """select conname::text as name, conrelid::regclass::text as on_table, contype::text as kind
                  from pg_constraint where not convalidated and conrelid <> 0 order by 2, 1"""
_PREPARED = """select gid as name, database::text, owner::text, extract(epoch from $1 - prepared)::float8 as seconds
               from pg_prepared_xacts order by prepared"""
_SLOTS = """select slot_name::text as name, active, wal_status, pg_wal_lsn_diff(
                     case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                     restart_lsn)::int8 as retained
            from pg_replication_slots order by retained desc nulls last"""
_ARCHIVER = """select failed_count, last_failed_time, last_archived_time, last_failed_wal from pg_stat_archiver
               where last_failed_time > coalesce(last_archived_time, '-infinity')"""
_SEQUENCES = """
with used as (
  select quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) as name, s.last_value::numeric as at,
         case when s.increment_by < 0 then s.min_value else s.max_value end as own_end, s.cycle, s.increment_by,
         (select case a.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 end
          from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
          where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
            and d.objid = c.oid limit 1) as column_end
  from pg_sequences s join pg_namespace n on n.nspname = s.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = s.sequencename and c.relkind = 'S'
  where s.last_value is not null and not s.cycle and s.increment_by > 0)
select name, at::int8 as at, least(own_end, coalesce(column_end, own_end))::int8 as ends,
       (at / least(own_end, coalesce(column_end, own_end)))::float8 as share
from used order by share desc limit 5"""
_UNSEEN_SEQUENCES = """select count(*) from pg_class
                       where case when relkind = 'S' then not has_sequence_privilege(oid, 'USAGE, SELECT') end"""

_DANGEROUS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "zero_damaged_pages": "on",
    "ignore_checksum_failure": "on",
}


class PgIntegrity(WholeDatabaseDiagnostic):
    """Damage: checksum failures, invalid indexes, constraints not validated, settings that lose data.

    And what stops a server one day: transaction ids that run out, prepared transactions left behind, replication slots
    and a failing archiver that keep WAL, sequences near their end. No page of a table is read: amcheck does that.
    """

    prepared_for: Duration = timedelta(minutes=10)
    """Prepared transactions older than this are told of."""
    sequence_used: float = Field(default=0.8, strict=True, gt=0, le=1)
    """Sequences of whose numbers this share is used up are told of."""

    async def examine(self, session: Session) -> Evidence:
        found: list[str] = []
        details: dict[str, object] = {}
        checks: tuple[Callable[[Session], Awaitable[tuple[list[str], dict[str, object]]]], ...] = (
            _damage,
            _wraparound,
            self._left_behind,
            self._sequences,
        )
        for check in checks:
            said, more = await check(session)
            found += said
            details |= more
        summary = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
        return Evidence(
            step=self.key(),
            summary=summary or "nothing wrong is to be seen",
            details={"found": found[:50], **details},
        )

    async def _left_behind(self, session: Session) -> tuple[list[str], dict[str, object]]:
        """What keeps the past from being cleaned up."""
        limit = self.prepared_for.total_seconds()
        prepared = await session.rows_or_unseen("prepared transactions", _PREPARED, session.moment)
        said = [
            f"transaction {each['name']} of {each['database']} prepared {_lasting(each['seconds'])} ago holds its locks"
            for each in prepared
            if each["seconds"] > limit
        ]
        slots = await session.rows_or_unseen("replication slots", _SLOTS)
        for each in slots:
            if each["wal_status"] == "lost" or (each["retained"] or 0) > _MUCH_WAL or not each["active"]:
                how = "active" if each["active"] else "inactive"
                kept = format_bytes(each["retained"] or 0)
                said.append(
                    f"replication slot {each['name']} ({how}, WAL {each['wal_status']}) keeps {kept} of WAL"
                )
        for each in await session.rows_or_unseen("the archiver", _ARCHIVER):
            since = each["last_archived_time"]
            last = f"the last one at {since.isoformat()}" if since else "none ever"
            said.append(f"WAL is not archived: {each['failed_count']} failures, archived was {last}")
        return said, {"prepared": prepared[:_MOST], "replication_slots": slots[:_MOST]}

    async def _sequences(self, session: Session) -> tuple[list[str], dict[str, object]]:
        sequences = await session.rows_or_unseen("sequences", _SEQUENCES)
        unseen = await session.value(_UNSEEN_SEQUENCES)
        if unseen:
            session.unseen.append(f"how far {unseen} sequences are: grant select on them")
        said = [
            f"sequence {each['name']} has used {each['share']:.0%} of its numbers (at {each['at']} of {each['ends']})"
            for each in sequences
            if each["share"] >= self.sequence_used
        ]
        return said, {"sequences": sequences}


async def _damage(session: Session) -> tuple[list[str], dict[str, object]]:
    """What is broken already, or will be by the next crash."""
    settings = {each["name"]: each["setting"] for each in await session.rows(_SETTINGS)}
    said = [f"{name} is {value}" for name, value in _DANGEROUS.items() if settings.get(name) == value]
    said += [
        f"{each['failures']} checksum failures in {each['name']}, the last at {each['last'].isoformat()}"
        for each in await session.rows(_CHECKSUMS)
    ]
    invalid = await session.rows_or_unseen("invalid indexes", _INDEXES)
    said += [f"index {each['name']} on {each['on_table']} is invalid" for each in invalid]
    constraints = await session.rows_or_unseen("constraints", _CONSTRAINTS)
    said += [f"constraint {each['name']} on {each['on_table']} was never validated" for each in constraints]
    return said, {
        "data_checksums": settings.get("data_checksums"),
        "invalid_indexes": invalid[:_MOST],
        "constraints_not_validated": constraints[:_MOST],
    }


async def _wraparound(session: Session) -> tuple[list[str], dict[str, object]]:
    ages = await session.rows(_AGES)
    said = []
    for each in ages:
        for kind, name in (("xids", "transaction ids"), ("multixacts", "multixacts")):
            used = each[kind] / _STOPS_AT
            if used >= _WORRYING:
                said.append(f"{each['name']} has used {used:.0%} of its {name}: vacuum freezes too little")
    return said, {"ages": ages[:_MOST], "oldest_tables": await session.rows(_OLDEST_TABLES)}


def _lasting(seconds: float) -> str:
    return format_duration(timedelta(seconds=max(0, round(seconds))))
