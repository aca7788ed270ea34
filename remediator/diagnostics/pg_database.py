"""How large a database is, and how it has been doing since its statistics were reset."""

from typing import Any

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.size import format_bytes
from remediator.step import WholeDatabaseDiagnostic

_COUNTERS = """select numbackends, xact_commit, xact_rollback, blks_read, blks_hit, conflicts, deadlocks,
                      temp_files, temp_bytes::int8 as temp_bytes, stats_reset
               from pg_stat_database where datname = current_database()"""
_SIZE = "select pg_database_size(current_database()) as size"
_TABLES = """
with pages as (
  select coalesce(i.indrelid, t.oid, c.oid) as oid, sum(c.relpages)::int8 * current_setting('block_size')::int as bytes
  from pg_class c
  left join pg_index i on i.indexrelid = c.oid
  left join pg_class t on t.reltoastrelid = coalesce(i.indrelid, c.oid)
  where c.relkind in ('r', 'i', 't', 'm')
  group by 1)
select s.schemaname || '.' || s.relname as name, p.bytes, s.n_live_tup as live_rows, s.n_dead_tup as dead_rows,
       greatest(s.last_vacuum, s.last_autovacuum) as vacuumed_at,
       greatest(s.last_analyze, s.last_autoanalyze) as analyzed_at
from pg_stat_user_tables s join pages p on p.oid = s.relid
order by {order} desc, 1 limit $1"""
_LARGEST, _DEADEST = _TABLES.format(order="p.bytes"), _TABLES.format(order="s.n_dead_tup")
_MANY_DEAD = 10_000


class PgDatabase(WholeDatabaseDiagnostic):
    """Size, largest tables, dead rows, cache hits, rollbacks, deadlocks and temporary files.

    Tables are measured by the pages that the last vacuum or analyze counted, so that no lock on a table can hold up
    the look.
    """

    most: int = Field(default=10, strict=True, ge=1, le=50)
    """So many tables are shown."""

    async def examine(self, session: Session) -> Evidence:
        counters = await session.row(_COUNTERS)
        sizes = await session.rows_or_unseen("the size", _SIZE)
        largest = [_table(each) for each in await session.rows(_LARGEST, self.most)]
        dead = [_table(each) for each in await session.rows(_DEADEST, self.most) if each["dead_rows"]]
        blocks = counters["blks_hit"] + counters["blks_read"]
        transactions = counters["xact_commit"] + counters["xact_rollback"]
        hits = counters["blks_hit"] / blocks if blocks else None
        rollbacks = counters["xact_rollback"] / transactions if transactions else None
        said = [format_bytes(sizes[0]["size"])] if sizes else []
        said += (
            [f"largest table {largest[0]['name']} (about {format_bytes(largest[0]['bytes'])})"]
            if largest
            else []
        )
        said += [f"{hits:.1%} of blocks from the cache"] if hits is not None else []
        said += [f"{rollbacks:.1%} of transactions rolled back"] if rollbacks is not None else []
        for counter, name in (("deadlocks", "deadlocks"), ("conflicts", "conflicts with recovery")):
            said += [f"{name}: {counters[counter]}"] if counters[counter] else []
        if counters["temp_files"]:
            said.append(f"{format_bytes(counters['temp_bytes'])} in {counters['temp_files']} temporary files")
        if dead and dead[0]["dead_rows"] >= _MANY_DEAD:
            said.append(f"{dead[0]['dead_rows']} dead rows in {dead[0]['name']}")
        details = {
            **counters,
            "stats_reset": _when(counters["stats_reset"]),
            "size_bytes": sizes[0]["size"] if sizes else None,
            "cache_hits": None if hits is None else round(hits, 4),
            "rolled_back": None if rollbacks is None else round(rollbacks, 4),
            "largest_tables": largest,
            "dead_rows": dead,
        }
        return Evidence(step=self.key(), summary=", ".join(said), details=details)


def _table(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "vacuumed_at": _when(row["vacuumed_at"]), "analyzed_at": _when(row["analyzed_at"])}


def _when(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
