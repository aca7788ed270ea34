"""Which statements each database spends its time on."""

from remediator.clients.postgres import Session
from remediator.diagnostics.pg_slow_statements import PgSlowStatements
from remediator.digest.each_database import Told, each_database, unseen_in
from remediator.digest.section import Found, fine, unknown
from remediator.digest.sources import Sources
from remediator.settings.databases import ApplicationDatabase

_MOST = 5
_LONGEST = 160


async def fill(sources: Sources) -> Found:
    return await each_database(sources, _slow)


async def _slow(session: Session, database: ApplicationDatabase) -> Told:
    seen = await PgSlowStatements(most=_MOST).look_at(session)
    if seen.failed:
        return [unknown(seen.summary)], seen.details
    since = seen.details["since"]
    counted = f"since {since[:16].replace('T', ' ')} UTC" if since else "since nobody knows when"
    lines = [
        fine(
            f"{database.name}: {each['share']:.0%} of all time, {each['calls']} calls of {each['mean_ms']:.1f} ms "
            f"{counted}: {each['query'][:_LONGEST]}"
        )
        for each in seen.details["statements"]
    ]
    return [*(lines or [fine(seen.summary)]), *unseen_in(seen)], seen.details
