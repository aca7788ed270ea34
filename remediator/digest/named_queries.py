"""What an operator's own queries answer. No section, but what two of them are made of."""

from typing import Literal

from remediator.clients.postgres import Session
from remediator.diagnostics.sql_query import answered
from remediator.digest.each_database import Told, each_database
from remediator.digest.section import Found, Line, State, fine, unknown
from remediator.digest.sources import Sources
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.settings.databases import ApplicationDatabase

_MOST = 10


async def named_queries(sources: Sources, shown_in: Literal["security", "access"], row_is: State) -> Found:
    """The first rows of each query with `digest: security` (or access), a line each."""

    async def ask(session: Session, database: ApplicationDatabase) -> Told:
        lines: list[Line] = []
        details: JsonObject = {}
        for query in (each for each in database.queries if each.digest == shown_in):
            name = f"{database.name}: {query.name}"
            try:
                seen = await answered(session, query, (), _MOST)
            except RemediatorError as reason:
                lines.append(unknown(f"{name}: {reason.sentence}"))
                continue
            rows = seen.details["rows"]
            lines += [Line(state=row_is, text=f"{name}: {_said(each)}") for each in rows]
            if seen.details["left_out"]:
                lines.append(
                    Line(state=row_is, text=f"{name}: and more, of which only {len(rows)} are shown")
                )
            elif not rows:
                lines.append(fine(f"{name}: no row"))
            details[query.name] = seen.details
        return lines, details

    chosen = [
        each
        for each in sources.kit.databases.configured
        if any(query.digest == shown_in for query in each.queries)
    ]
    if not chosen:
        said = f"no query under `databases` in remediator.yml has `digest: {shown_in}`"
        return Found(lines=(unknown(said),))
    return await each_database(sources, ask, chosen)


def _said(row: JsonObject) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())
