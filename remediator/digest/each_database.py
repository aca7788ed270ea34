"""One look into each configured database, beside the others. No section, but what several are made of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from remediator.clients.postgres import Session
from remediator.digest.backups import NO_DATABASE
from remediator.digest.section import Found, Line, unknown
from remediator.digest.sources import Sources
from remediator.domain.answers import Evidence
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError
from remediator.settings.databases import ApplicationDatabase

Told = tuple[Sequence[Line], JsonObject]
_SECONDS = 10.0
"""For each: less than a section may take, so that one that is silent hides no other."""
LookInto = Callable[[Session, ApplicationDatabase], Awaitable[Told]]


async def each_database(
    sources: Sources, look_into: LookInto, chosen: Sequence[ApplicationDatabase] | None = None
) -> Found:
    """What the look tells of each of them, all unless some are chosen; of one that does not answer, why."""
    databases = sources.kit.databases

    async def told(database: ApplicationDatabase) -> Told:
        try:
            async with asyncio.timeout(_SECONDS), databases.session(database) as session:
                return await look_into(session, database)
        except RemediatorError as reason:
            why = reason.sentence
        except TimeoutError:
            why = f"not done within {_SECONDS:g} s"
        return [unknown(f"{database.name}: {why}")], {"failed": why}

    configured = databases.configured if chosen is None else chosen
    if not configured:
        return Found(lines=(unknown(NO_DATABASE),))
    found = await asyncio.gather(*map(told, configured))
    return Found(
        lines=tuple(line for lines, _ in found for line in lines),
        details={each.name: details for each, (_, details) in zip(configured, found, strict=True)},
    )


def unseen_in(evidence: Evidence) -> list[Line]:
    """A line for each thing that this look could not see."""
    database = evidence.details["database"]
    return [unknown(f"{database}: not seen: {each}") for each in evidence.details["unseen"]]
