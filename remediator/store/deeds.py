"""What people had this daemon do, for the digest."""

from datetime import timedelta

from remediator.domain.value import Value
from remediator.store.database import Connection


class Deed(Value):
    """One kind of thing that one person did, and how often."""

    who: str
    did: str
    times: int


_DEEDS = """
select who, did, count(*) as times from (
    select who, case when yes then 'agreed to plans' else 'declined plans' end as did, at from approval_answers
    union all
    select approved_by, 'approved rules', approved_at from rule_versions where approved_by is not null
    union all
    select trigger->>'who', 'asked for runs', created_at from runs where trigger->>'kind' = 'person'
    union all
    select who, case kind when 'pause' then 'paused' else 'froze' end, created_at from pauses
    union all
    select cleared_by, 'ended pauses', cleared_at from pauses where cleared_by is not null
    union all
    select closed_by, 'closed breakers', closed_at from breaker_openings where closed_by is not null
) as every where at > remediator_now() - $1::interval
group by who, did order by who, did
"""


async def of_people(connection: Connection, past: timedelta) -> list[Deed]:
    """By person and kind."""
    return [Deed(**row) for row in await connection.fetch(_DEEDS, past)]
