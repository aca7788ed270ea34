"""A machine's wall clock may be wrong by hours and years: nothing is decided by it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from remediator.run import State
from tests.support.clock import DrivenClock
from tests.support.story import told


class Wrong:
    """The clock of a machine whose time was set wrongly."""

    def __init__(self, right: DrivenClock, wrong_by: timedelta) -> None:
        self._right = right
        self._wrong_by = wrong_by

    def now(self) -> datetime:
        return self._right.now() + self._wrong_by

    def monotonic(self) -> float:
        return self._right.monotonic()


@pytest.mark.parametrize("hours", [-87_600, -1, 1, 87_600])
async def test_a_wall_clock_that_is_wrong_changes_no_decision(
    tmp_path: Path, database_url: str, clock: DrivenClock, hours: int
) -> None:
    machine = Wrong(clock, timedelta(hours=hours))
    async with told(tmp_path, database_url, clock, machine=machine) as story:
        await story.bad_release()
        await story.fire()
        await story.let(60)
        await story.resolve()
        await story.let(120)
        run = await story.run()
        assert (run.state, story.effects()) == (State.RESOLVED, ["app:v1"]), run.why
