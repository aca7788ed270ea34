"""Who gets at what: the operator's own queries with `digest: access`."""

from remediator.digest.named_queries import named_queries
from remediator.digest.section import Found
from remediator.digest.sources import Sources


async def fill(sources: Sources) -> Found:
    return await named_queries(sources, "access", row_is="fine")
