"""All of what fired and what ran, for going through it once more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from remediator.store.database import Connection


async def read(connection: Connection, cluster: str) -> tuple[Sequence[Any], Sequence[Any], datetime]:
    """Episodes, tenures of the cluster's workloads, and the database's time; call where one state is seen."""
    episodes = await connection.fetch(
        """select labels::text as labels, starts_at, opened_at, coalesce(ends_at, closed_at) as ends_at, target
           from episodes order by id"""
    )
    tenures = await connection.fetch(
        """select kind || '/' || namespace || '/' || name as target, uid, revision, template::text as template,
                  began_at, began_seen, ended_at, longest_available_seconds, last_seen_at,
                  array(select lower(gap) from unnest(unseen) as gap) as gaps_begin,
                  array(select upper(gap) from unnest(unseen) as gap) as gaps_end
           from tenures where cluster = $1 order by id""",
        cluster,
    )
    return episodes, tenures, await connection.fetchval("select remediator_now()")
