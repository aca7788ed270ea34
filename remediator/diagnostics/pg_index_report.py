"""Which indexes cost more than they give, and which tables miss one."""

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.size import format_bytes
from remediator.step import WholeDatabaseDiagnostic

_INDEX = """i.indexrelid::regclass::text as name, i.indrelid::regclass::text as on_table,
            c.relpages::int8 * current_setting('block_size')::int as bytes"""
_OURS = """pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
           and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"""
_UNUSED = f"""
select {_INDEX}, (select stats_reset from pg_stat_database where datname = current_database()) as since
from {_OURS} join pg_stat_user_indexes s on s.indexrelid = i.indexrelid
where s.idx_scan = 0 and i.indisvalid and not i.indisunique and not i.indisexclusion and not i.indisreplident
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
order by bytes desc, 1 limit $1"""
_DUPLICATE = f"""
select string_agg(name, ', ' order by name) as name, min(on_table) as on_table, sum(bytes)::int8 as bytes
from (select {_INDEX}, concat_ws('|', i.indrelid, i.indkey, i.indclass, i.indcollation, i.indoption, c.relam,
                                 coalesce(i.indexprs::text, ''), coalesce(i.indpred::text, '')) as shape
      from {_OURS} where i.indisvalid) as every
group by shape having count(*) > 1 order by bytes desc, 1 limit $1"""
_INVALID = f"select {_INDEX} from {_OURS} where not i.indisvalid order by bytes desc, 1 limit $1"
_BLOATED = f"""
with keys as (
  select i.indexrelid, count(*) as columns, count(w.avg_width) as known, sum(w.avg_width * (1 - w.null_frac)) as width
  from {_OURS} cross join unnest(i.indkey::int2[]) as k
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k
  join pg_class t on t.oid = i.indrelid
  join pg_namespace tn on tn.oid = t.relnamespace
  left join pg_stats w on w.schemaname = tn.nspname and w.tablename = t.relname and w.attname = a.attname
                      and not w.inherited
  where 0 <> all (i.indkey::int2[]) and i.indpred is null and c.relam = (select oid from pg_am where amname = 'btree')
  group by 1),
sized as (
  select {_INDEX}, k.known = k.columns as known,
         ceil(c.reltuples * (ceil((8 + k.width) / 8) * 8 + 4) / ((current_setting('block_size')::int - 40) * 0.9))
         * current_setting('block_size')::int as needed
  from {_OURS} join keys k on k.indexrelid = i.indexrelid where c.reltuples > 0)
select name, on_table, bytes, needed::int8 as needed, known from sized
where not known or (bytes > 2 * needed and bytes - needed >= $2)
order by bytes - coalesce(needed, 0) desc, 1 limit $1"""
_SCANNED = """
select schemaname || '.' || relname as name, seq_scan, seq_tup_read, coalesce(idx_scan, 0) as idx_scan,
       n_live_tup as live_rows
from pg_stat_user_tables
where n_live_tup >= 10000 and seq_tup_read >= 10 * n_live_tup
order by seq_tup_read desc limit $1"""

_WASTED = 10 * 1024**2


class PgIndexReport(WholeDatabaseDiagnostic):
    """Indexes that are never used, there twice, invalid or bloated, and large tables that are read from end to end.

    Sizes are of the last vacuum or analyze. Use is counted since the statistics were reset, and on this server alone:
    ask its standbys before dropping anything. Bloat is an estimate by the widths of columns, of btree indexes on whole
    columns only.
    """

    most: int = Field(default=10, strict=True, ge=1, le=50)
    """So many of each are shown."""

    async def examine(self, session: Session) -> Evidence:
        unused = await session.rows(_UNUSED, self.most)
        since = unused[0]["since"] if unused else None
        estimated = await session.rows_or_unseen("bloat", _BLOATED, 10 * self.most, _WASTED)
        report = {
            "invalid": await session.rows(_INVALID, self.most),
            "duplicate": await session.rows(_DUPLICATE, self.most),
            "unused": [{key: each[key] for key in ("name", "on_table", "bytes")} for each in unused],
            "bloated": [each for each in estimated if each["known"]][: self.most],
            "read_from_end_to_end": await session.rows(_SCANNED, self.most),
        }
        blind = sum(1 for each in estimated if not each["known"])
        if blind:
            session.unseen.append(
                f"how bloated {blind} indexes are: their tables may not be read or were not analyzed"
            )
        titles = {
            "invalid": "invalid indexes",
            "duplicate": "sets of equal indexes",
            "unused": "indexes never used",
            "bloated": "indexes that look bloated",
            "read_from_end_to_end": "large tables read from end to end",
        }
        said = []
        for kind, title in titles.items():
            if rows := report[kind]:
                size = f", {format_bytes(rows[0]['bytes'])}" if "bytes" in rows[0] else ""
                more = " or more" if len(rows) == self.most else ""
                said.append(f"{title}: {len(rows)}{more} ({rows[0]['name']}{size})")
        details = {**report, "used_since": None if since is None else since.isoformat()}
        return Evidence(
            step=self.key(), summary="; ".join(said) or "nothing to tell of its indexes", details=details
        )
