"""The operator's own queries with `digest: security`, and what people had this daemon do."""

from remediator.digest.named_queries import named_queries
from remediator.digest.section import Found, fine
from remediator.digest.sources import Sources
from remediator.store import deeds


async def fill(sources: Sources) -> Found:
    found = await named_queries(sources, "security", row_is="look")
    async with sources.database.connection() as connection:
        done = await deeds.of_people(connection, sources.stretch.length)
    lines = [fine(f"remediator: {each.who} {each.did} ({each.times} times)") for each in done]
    return Found(
        lines=(*found.lines, *(lines or [fine("remediator: nobody had anything done")])),
        details={**found.details, "people": [each.to_json() for each in done]},
    )
