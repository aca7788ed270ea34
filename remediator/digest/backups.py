"""How old the newest verified backup of each database is."""

import asyncio
from datetime import timedelta

from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.errors import RemediatorError
from remediator.facts import backup
from remediator.kit import Kit
from remediator.settings.databases import ApplicationDatabase

NO_DATABASE = "no database is named under `databases` in remediator.yml"
_FRESH = timedelta(hours=24)
"""As the procedures that restore one ask for."""


async def fill(sources: Sources) -> Found:
    configured = sources.kit.databases.configured
    if not configured:
        return Found(lines=(unknown(NO_DATABASE),))
    return Found(lines=tuple(await asyncio.gather(*(_line(each, sources.kit) for each in configured))))


async def _line(database: ApplicationDatabase, kit: Kit) -> Line:
    try:
        identity, age = await backup.newest(database, kit)
    except RemediatorError as reason:
        return unknown(f"{database.name}: {reason.sentence}")
    said = f"{database.name}: {identity} is {age / timedelta(hours=1):.1f} hours old and verified"
    return fine(said) if age <= _FRESH else look(f"{said}, which is older than a day")
