"""Group commit: what arrived while the last transaction was committed goes into the next one.

No timer: a request that finds nothing under way is committed at once, and under load every
transaction holds many requests.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from remediator.errors import Retryable
from remediator.fault_points import FaultPoint, reach, reach_once_sent
from remediator.store import notices
from remediator.store.database import DATABASE_ERRORS, Database
from remediator.telemetry import Metrics
from remediator.web.webhook_message import Message

_FLUSHERS = 2
_ALERTS_A_TRANSACTION = 5000
_DEADLINE_SECONDS = 1.3
_DEADLINE_SECONDS_PER_ALERT = 0.0005
RETRY_AFTER_SECONDS = 5.0


@dataclass(eq=False, slots=True)
class _Waiting:
    """A request whose message is not known to be committed yet."""

    message: Message
    committed: asyncio.Future[None]


class Inbox:
    """Stores messages; `store` returns when they are committed."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        *,
        source: str,
        max_waiting: int,
        stored: Callable[[], None],
    ) -> None:
        """`stored` is called after each commit."""
        self._source = source
        self._database = database
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._stored = stored
        self._held = 0
        self._queue: deque[_Waiting] = deque()
        self._flushing = 0
        self._flushers: set[asyncio.Task[None]] = set()

    async def store(self, message: Message) -> None:
        """Return once everything in `message` is durable.

        Raises Retryable when too many wait already, when the database refuses, and when it has not
        said within the deadline that it committed: the message may be stored then, or not.
        """
        if self._held >= self._max_waiting:
            raise Retryable(f"{self._held} requests are waiting to be stored already", RETRY_AFTER_SECONDS)
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        self._held += 1
        self._queue.append(waiting)
        self._start_flusher()
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS + _DEADLINE_SECONDS_PER_ALERT * len(message.alerts)):
                await waiting.committed
        except TimeoutError:
            raise Retryable("the database has not confirmed in time", RETRY_AFTER_SECONDS) from None
        finally:
            self._held -= 1

    async def close(self) -> None:
        """Wait for the transactions under way."""
        await asyncio.gather(*self._flushers)

    def _start_flusher(self) -> None:
        if self._flushing < _FLUSHERS:
            self._flushing += 1
            flusher = asyncio.create_task(self._flush())
            self._flushers.add(flusher)
            flusher.add_done_callback(self._flushers.discard)

    async def _flush(self) -> None:
        try:
            while batch := self._next_batch():
                await self._commit(batch)
        finally:
            # In the same step as the last look at the queue: whoever comes next starts another.
            self._flushing -= 1

    def _next_batch(self) -> list[_Waiting]:
        """The oldest that still wait, up to a bound; at least one if there is any."""
        batch: list[_Waiting] = []
        alerts = 0
        while self._queue and alerts < _ALERTS_A_TRANSACTION:
            waiting = self._queue.popleft()
            if not waiting.committed.done():  # nobody waits any more for what took too long
                batch.append(waiting)
                alerts += len(waiting.message.alerts)
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        alerts = [alert for each in batch for alert in each.message.alerts]
        quarantined = [alert for each in batch for alert in each.message.quarantined]
        truncated = [group for each in batch for group in each.message.truncated]
        try:
            async with self._database.connection() as connection:
                async with connection.transaction():
                    stored = await notices.store(connection, self._source, alerts, quarantined, truncated)
                    reach(FaultPoint.J03)
                    reach_once_sent(FaultPoint.J04)
                reach(FaultPoint.J05)
                for each in batch:
                    if not each.committed.done():
                        each.committed.set_result(None)
        except DATABASE_ERRORS as error:
            await self._not_committed(batch, error)
        else:
            self._stored()
            self._metrics.alerts_received.labels("stored").inc(stored.new)
            self._metrics.alerts_received.labels("repeated").inc(stored.repeated)
            self._metrics.alerts_received.labels("quarantined").inc(len(quarantined))

    async def _not_committed(self, batch: list[_Waiting], error: Exception) -> None:
        if isinstance(error, asyncpg.DataError) and len(batch) > 1:
            # A message the database cannot hold must not take others down with it.
            for each in batch:
                await self._commit([each])
            return
        for each in batch:
            if not each.committed.done():
                sentence = f"the database did not store it: {str(error) or type(error).__name__}"
                each.committed.set_exception(Retryable(sentence, RETRY_AFTER_SECONDS))
