"""Of an incident that a rule looks at again and again one look counts."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from remediator.store import shadow_runs
from tests.hindsight.month import Incident, Month, day
from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, told

ACTS = Incident(day(1))
NOTHING = replace(ACTS, planned=False)
STOPPED = replace(ACTS, stopped_by=("floor",))
INCIDENTS = {
    "the first that would have acted": ((NOTHING, STOPPED, ACTS, ACTS), 2),
    "the first with a plan": ((NOTHING, NOTHING, STOPPED, STOPPED), 2),
    "the first": ((NOTHING, NOTHING), 0),
}


async def test_the_first_that_would_have_acted_else_the_first_with_a_plan_else_the_first(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    past, window, late = timedelta(days=30), timedelta(minutes=30), timedelta(minutes=1)
    async with told(tmp_path, database_url, clock, ROLLBACK) as story:
        await clock.advance(7 * 24 * 3600)
        (rule,) = story.daemon.rules.rules()
        counts = []
        async with story.daemon.database.transaction() as connection:
            month = Month(connection)
            for name, (looks, counting) in INCIDENTS.items():
                incident_id = await month._incident(name, looks[0])
                made = [await month.look(rule, each, name, incident_id) for each in looks]
                counts.append(made[counting])
            found = await shadow_runs.of_rules(connection, [rule.digest], past, window, late, most=3)
            assert [each.id for each in found] == counts
            newest = await shadow_runs.of_rules(connection, [rule.digest], past, window, late, most=2)
            assert [each.id for each in newest] == counts[1:]
