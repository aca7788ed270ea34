"""How each database is doing: its size, damage, connections, dead rows, indexes that cost more than they give."""

from remediator.clients.postgres import Session
from remediator.diagnostics.pg_connections import PgConnections
from remediator.diagnostics.pg_database import PgDatabase
from remediator.diagnostics.pg_index_report import PgIndexReport
from remediator.diagnostics.pg_integrity import PgIntegrity
from remediator.digest.each_database import Told, each_database, unseen_in
from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.domain.answers import Evidence
from remediator.errors import RemediatorError
from remediator.settings.databases import ApplicationDatabase
from remediator.step import WholeDatabaseDiagnostic

_LOOKS: tuple[WholeDatabaseDiagnostic, ...] = (PgDatabase(), PgConnections(), PgIntegrity(), PgIndexReport())
_FULL = 0.8
"""Of the connections for applications."""


async def fill(sources: Sources) -> Found:
    return await each_database(sources, _looks)


async def _looks(session: Session, database: ApplicationDatabase) -> Told:
    lines: list[Line] = []
    details: dict[str, object] = {}
    for each in _LOOKS:
        try:
            seen = await each.look_at(session)
        except RemediatorError as reason:
            lines.append(unknown(f"{database.name}: {each.key()}: {reason.sentence}"))
            continue
        lines += [*_lines(database.name, seen), *unseen_in(seen)]
        details[each.key()] = seen.details
    return lines, details


def _lines(name: str, seen: Evidence) -> list[Line]:
    if seen.step == PgIntegrity.key() and seen.details["found"]:
        return [look(f"{name}: {each}") for each in seen.details["found"]]
    if seen.step == PgConnections.key():
        room = seen.details["max_connections"] - seen.details["reserved"]
        return [(look if seen.details["taken"] >= _FULL * room else fine)(seen.summary)]
    return [fine(seen.summary)]
