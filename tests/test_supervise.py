"""A loop goes on whatever a unit of its work does, and since when it does nothing can be told."""

import asyncio

from remediator.errors import Retryable
from remediator.supervise import Bell, Loop, supervise
from remediator.telemetry import Metrics
from tests.support.clock import DrivenClock


async def test_of_a_loop_that_never_worked_it_is_told_when_it_was_started(clock: DrivenClock) -> None:
    metrics, stopping, bell = Metrics(), asyncio.Event(), Bell()

    async def fails() -> bool:
        stopping.set()
        bell.ring()
        raise Retryable("nothing answers")

    await supervise(Loop("courier", fails, 1.0, bell), metrics, clock, stopping)
    shown = metrics.registry.get_sample_value(
        "remediator_loop_last_success_timestamp_seconds", {"loop": "courier"}
    )
    assert shown == clock.now().timestamp()
