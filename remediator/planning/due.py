"""Which episode is planned next. In a storm everywhere hardly any is: all that is due is put off at once."""

from typing import NamedTuple

from remediator.domain.storm import Storm
from remediator.store import episodes, storms
from remediator.store.database import Connection
from remediator.telemetry import Metrics

_AGAIN_SECONDS = 60.0


class Due(NamedTuple):
    """An episode to plan, or how many were put off instead."""

    episode_id: int | None = None
    put_off: int = 0


async def next_due(connection: Connection, metrics: Metrics) -> Due:
    """Take the next; it is due again after a minute, whatever happens."""
    storm = await storms.everywhere(connection)
    if storm is None:
        return Due(await episodes.take_due(connection, _AGAIN_SECONDS))
    episode_id = await _in_a_storm(connection, storm)
    if episode_id is not None:
        return Due(episode_id)
    put_off = await storms.put_off(connection, storm)
    metrics.dispositions.labels("storm").inc(put_off)
    return Due(put_off=put_off)


async def _in_a_storm(connection: Connection, storm: Storm) -> int | None:
    """The one target that is offered, and a few others to see how the storm goes on."""
    if storm.offered is not None:
        episode_id = await episodes.take_due(connection, _AGAIN_SECONDS, storm.offered)
        if episode_id is not None:
            return episode_id
    if await storms.take_look(connection, storm):
        return await episodes.take_due(connection, _AGAIN_SECONDS)
    return None
