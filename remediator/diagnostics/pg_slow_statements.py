"""Which statements a database spends its time on."""

from typing import Any, Literal

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.errors import Permanent
from remediator.redaction.statements import without_values
from remediator.step import WholeDatabaseDiagnostic

_EXTENSION = """
select quote_ident(n.nspname) as schema, e.extversion as version,
       (select array_agg(a.attname::text) from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = e.extnamespace and c.relname = 'pg_stat_statements' and a.attnum > 0) as columns,
       to_regclass(quote_ident(n.nspname) || '.pg_stat_statements_info') is not null as tells_reset
from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'"""

_STATEMENTS = """
select left(query, 4000) as query, calls, rows, {total} as total_ms, {mean} as mean_ms,
       shared_blks_hit, shared_blks_read, temp_blks_written, sum({total}) over () as all_ms
from {schema}.pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
order by {order} desc limit $1"""


class PgSlowStatements(WholeDatabaseDiagnostic):
    """`pg_slow_statements: {by: mean}`: from the extension pg_stat_statements, where it is installed.

    Columns are found by their names, as the extension may be older than the server (`total_time` became
    `total_exec_time` in version 1.8, with PostgreSQL 13).
    """

    by: Literal["total", "mean"] = "total"
    """The time of all calls together, or of one call."""
    most: int = Field(default=10, strict=True, ge=1, le=50)
    """So many statements are shown."""

    async def examine(self, session: Session) -> Evidence:
        extensions = await session.rows(_EXTENSION)
        if not extensions:
            why = "is not installed (shared_preload_libraries, then create extension pg_stat_statements)"
            return Evidence(step=self.key(), summary=f"pg_stat_statements {why}", failed=True)
        found = extensions[0]
        old = "total_exec_time" not in (found["columns"] or ())
        total, mean = ("total_time", "mean_time") if old else ("total_exec_time", "mean_exec_time")
        order = mean if self.by == "mean" else total
        query = _STATEMENTS.format(total=total, mean=mean, order=order, schema=found["schema"])
        rows = await session.rows(query, self.most)
        if not session.sees_statistics:
            session.unseen.append("statements of other roles: grant pg_monitor")
        since = await _since(session, found["schema"]) if found["tells_reset"] else None
        top = rows[0] if rows else None
        said = "no statement is recorded"
        if top is not None:
            share = 100 * top["total_ms"] / top["all_ms"] if top["all_ms"] else 0.0
            said = f"most by {self.by} time: {without_values(top['query'], 120)}"
            said += f" ({top['calls']} calls, {top['mean_ms']:.1f} ms each, {share:.0f} % of all time)"
        shown = [_shown(each) for each in rows]
        details = {"by": self.by, "since": since, "extension": found["version"], "statements": shown}
        return Evidence(step=self.key(), summary=said, details=details)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "query": without_values(row["query"]),
        "calls": row["calls"],
        "rows": row["rows"],
        "total_ms": round(row["total_ms"], 1),
        "mean_ms": round(row["mean_ms"], 3),
        "share": round(row["total_ms"] / row["all_ms"], 4) if row["all_ms"] else 0.0,
        "cache_hits": _share(row["shared_blks_hit"], row["shared_blks_read"]),
        "temp_blocks_written": row["temp_blks_written"],
    }


async def _since(session: Session, schema: str) -> str | None:
    try:
        moment = await session.value(f"select stats_reset from {schema}.pg_stat_statements_info")
    except Permanent:
        return None
    return None if moment is None else str(moment.isoformat())


def _share(hits: int, reads: int) -> float | None:
    return round(hits / (hits + reads), 4) if hits + reads else None
