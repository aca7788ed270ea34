"""Tells people of a storm, once, with what was seen; and notes when it is over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.clock import Clock
from remediator.domain.notice import Notice
from remediator.domain.storm import Storm
from remediator.domain.value import JsonObject
from remediator.planning.first_rollout import RECENT, first_rolled_out
from remediator.planning.policy import Policy
from remediator.store import incidents, journal, outbox, storms
from remediator.store.database import Connection, Database
from remediator.store.storms import Affected

_WAIT_FOR_PLANNING = timedelta(seconds=30)
"""Alerts that came together are planned before people are told, but for no longer than this."""
_MOST_NAMED = 20


class StormWatch:
    """One unit of its work is one look at the storms in force."""

    def __init__(self, database: Database, clock: Clock, policy: Policy, channels: Iterable[str]) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._channels = tuple(channels)

    async def tick(self) -> bool:
        """End what is over, tell what has not been told; True when people were told of something."""
        async with self._database.transaction() as connection:
            for storm in await storms.end_over(connection):
                text = f"the storm {storm.where} is over: what still fires is planned now"
                await journal.append(connection, "storm", text, {"storm": storm.id})
        async with self._database.connection() as connection:
            untold = await storms.untold(connection)
            planning = bool(untold) and await storms.unplanned(connection, self._policy.storm.window) > 0
        told = False
        for storm in untold:
            if not planning or self._clock.now() - storm.began_at > _WAIT_FOR_PLANNING:
                told = await self._tell(storm) or told
        return told

    async def _tell(self, storm: Storm) -> bool:
        """The only evidence that is taken of a storm, and the only notice."""
        async with self._database.transaction() as connection:
            seen = await self._look(connection, storm)
            offered, offer = (None, None) if seen.first is None else (seen.first.target, seen.offer)
            if offered is not None:
                # Before the storm's row is locked: planning locks its incident, then episodes, then storms.
                await incidents.lock(connection, f"{self._policy.cluster}/{offered}")
            if not await storms.tell(connection, storm, seen.details, offered, offer):
                return False
            notice = _notice(seen, self._clock.now())
            await journal.append(connection, "storm", notice.text, {"storm": storm.id, **seen.details})
            await outbox.enqueue(connection, self._channels, notice, None)
            if offered is not None:
                await storms.plan_again(connection, offered)
        return True

    async def _look(self, connection: Connection, storm: Storm) -> "_Seen":
        window, cluster = self._policy.storm.window, self._policy.cluster
        affected = await storms.affected(connection, storm, window, cluster)
        others, others_fired_at = await storms.not_looked_up(connection, storm, window)
        fired = [each.fired_at for each in affected] + ([others_fired_at] if others_fired_at else [])
        since = min(fired, default=storm.began_at) - RECENT
        rolled_out = await storms.rolled_out_since(connection, cluster, since) if others else []
        return _Seen(storm, affected, others, first_rolled_out(affected, others_fired_at, rolled_out))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a storm."""

    storm: Storm
    affected: Sequence[Affected]
    others: int
    """Alerts whose target was not looked up."""
    first: Affected | None

    @property
    def details(self) -> JsonObject:
        return {
            "targets": [each.to_json() for each in self.affected],
            "alerts_not_looked_up": self.others,
            "first_rolled_out": self.first.target if self.first is not None else None,
        }

    @property
    def offer(self) -> str | None:
        """What a person is asked about the first: it must stay the same as long as the storm lasts."""
        if self.first is None or self.first.rolled_out_at is None:
            return None
        return (
            f"a storm {self.storm.where} since {self.storm.began_at:%H:%M:%S}, and {self.first.target} is the one "
            f"target that was rolled out (at {self.first.rolled_out_at:%H:%M:%S}) before all others fired: "
            "it may be the cause"
        )


def _notice(seen: _Seen, at: datetime) -> Notice:
    storm = seen.storm
    offer = (
        f"FIRST look at this: {seen.offer}. A person may approve its run. " if seen.offer is not None else ""
    )
    more = len(seen.affected) - _MOST_NAMED
    named = "; ".join(_told(each) for each in seen.affected[:_MOST_NAMED])
    rest = f"; and {more} more" if more > 0 else ""
    others = f" {seen.others} more alerts were not looked up one by one." if seen.others else ""
    return Notice(
        key=f"storm/{storm.id}",
        at=at,
        title=f"[STORM] {len(seen.affected)} targets began to fire at once {storm.where}: nothing is changed",
        text=(
            f"{offer}Nothing is changed {storm.where} until {storm.ends_at:%H:%M:%S} UTC or later, and this is the "
            f"only notice. In the order they fired: {named}{rest}.{others}"
        ),
        severity="P0",
    )


def _told(each: Affected) -> str:
    rolled_out = (
        f"rolled out {each.rolled_out_at:%d %b %H:%M:%S}" if each.rolled_out_at else "rollout unknown"
    )
    return f"{each.target} ({each.alertname} {each.fired_at:%H:%M:%S}, {rolled_out})"
